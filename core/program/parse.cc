// core/program/parse.cc - parses programs.  Tested by parse_test.cc.
//
// One pass over the lines; names of variables, which may be used before the call that
// defines them, are looked up at the end.
#include "core/program/parse.h"

#include <map>

#include "core/base/invariant.h"
#include "core/program/cursor.h"
#include "core/program/machine_keys.h"
#include "core/program/ops.h"
#include "core/program/text.h"

namespace racier::program {
namespace {

// The parts of a program in the order in which they stand.
enum class Section : std::uint8_t { kOptions, kSetup, kTasks, kSchedule, kExpectations };

std::string ticked(std::string_view word) { return "`" + std::string(word) + "`"; }

bool is_identifier(std::string_view word) {
  for (const char c : word) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (c < '0' || c > '9')) return false;
  }
  return !word.empty() && (word[0] < '0' || word[0] > '9');
}

// Returns the number in the name of a file, "f3".
std::optional<std::uint64_t> file_number(std::string_view name) {
  if (name.size() < 2 || name[0] != 'f' || name[1] < '0' || name[1] > '9') {
    return std::nullopt;
  }
  return parse_number(name.substr(1));
}

class Parser {
 public:
  Program parse(std::string_view text);

 private:
  struct Definition {
    Variable kind;
    std::uint64_t number;
    int line;
  };
  struct Use {  // of a variable, to be looked up at the end
    int list;
    std::size_t call;
    std::size_t argument;
    Variable kind;
    std::string name;
    int line;
    int column;
  };

  void line(std::string_view text, int number);
  void comment(std::string_view text);
  std::string take_comment() { return std::exchange(comment_, {}); }
  void note_schedule();
  void section_line(Cursor& in, std::string_view word, int column);
  void enter(Cursor& in, Section section, std::string_view word, int column);

  void machine(Cursor& in);
  void bug(Cursor& in);
  void task(Cursor& in);
  void call(Cursor& in);
  void define(Cursor& in, std::string_view name, int column, const Op& op);
  void argument(Cursor& in, const Op& op, int index, Call& call);
  void property(Cursor& in, Call& call);
  Expected expected(Cursor& in);
  void schedule(Cursor& in);
  void schedule_key(Cursor& in, std::string_view key, int column);
  void overrides(Cursor& in);
  void schedule_line(Cursor& in);
  std::uint8_t task_of_schedule(Cursor& in);
  void expect(Cursor& in);
  void mark(Cursor& in);
  void resolve();

  Program program_;
  Section section_ = Section::kOptions;
  bool began_ = false;          // a line that is no comment was seen
  bool machine_seen_ = false;
  bool schedule_seen_ = false;
  bool expect_seen_ = false;
  std::string comment_;         // the lines since the last line that is none
  int list_ = -1;               // of the calls that are being read
  Scope defined_;
  std::map<std::string, Definition, std::less<>> definitions_;
  std::vector<Use> uses_;
};

// Returns where the comment of a line starts, or its end.
std::size_t comment_start(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == '#' && !quoted) {
      return i;
    }
  }
  return line.size();
}

std::string_view without_blanks_behind(std::string_view text) {
  const auto last = text.find_last_not_of(" \t\r");
  return text.substr(0, last == text.npos ? 0 : last + 1);
}

Program Parser::parse(std::string_view text) {
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    line(text.substr(0, end), number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!began_) program_.header = take_comment();
  note_schedule();
  resolve();
  return std::move(program_);
}

void Parser::line(std::string_view text, int number) {
  const std::size_t hash = comment_start(text);
  if (hash < text.size()) comment(without_blanks_behind(text.substr(hash + 1)));
  Cursor in(without_blanks_behind(text.substr(0, hash)), number);
  if (in.at_end()) return;
  if (!began_) program_.header = take_comment();
  began_ = true;
  const int column = in.column();
  const std::string_view word = in.peek();
  constexpr std::string_view kSections[] = {"machine", "bug",    "setup", "task",
                                            "schedule", "expect", "mark"};
  for (const std::string_view section : kSections) {
    if (word == section) return section_line(in, in.word(""), column);
  }
  if (section_ == Section::kSetup || section_ == Section::kTasks) return call(in);
  if (section_ == Section::kSchedule) return schedule_line(in);
  in.fail("machine, bug, setup, task, schedule, expect or mark");
}

void Parser::comment(std::string_view text) {
  if (text.starts_with(' ')) text.remove_prefix(1);
  if (!comment_.empty()) comment_ += '\n';
  comment_ += text;
}

// A comment that is above no call is about the schedule.
void Parser::note_schedule() {
  std::string& note = program_.schedule_note;
  if (!note.empty() && !comment_.empty()) note += '\n';
  note += take_comment();
}

void Parser::section_line(Cursor& in, std::string_view word, int column) {
  if (word == "machine" || word == "bug") {
    enter(in, Section::kOptions, word, column);
    word == "bug" ? bug(in) : machine(in);
  } else if (word == "setup") {
    if (list_ == 0) in.fail_at(column, "there is one `setup`");
    enter(in, Section::kSetup, word, column);
    list_ = 0;
  } else if (word == "task") {
    enter(in, Section::kTasks, word, column);
    task(in);
  } else if (word == "schedule") {
    if (schedule_seen_) in.fail_at(column, "there is one `schedule`");
    enter(in, Section::kSchedule, word, column);
    schedule(in);
  } else {
    enter(in, Section::kExpectations, word, column);
    word == "mark" ? mark(in) : expect(in);
  }
  in.expect_end();
}

void Parser::enter(Cursor& in, Section section, std::string_view word, int column) {
  if (section < section_) {
    in.fail_at(column, ticked(word) +
                           " is too late here: the order is machine and bug, setup, task, "
                           "schedule, expect and mark");
  }
  if (section >= Section::kSchedule && section_ < Section::kSchedule) {
    note_schedule();
  }
  section_ = section;
}

// ---- Options --------------------------------------------------------------------------

void Parser::machine(Cursor& in) {
  if (std::exchange(machine_seen_, true)) in.fail_at(1, "there is one `machine`");
  while (!in.at_end()) {
    const int column = in.column();
    const std::string_view name = in.word("an option of the machine");
    const MachineKey* found = nullptr;
    for (const MachineKey& key : machine_keys()) {
      if (name == key.name) found = &key;
    }
    if (found == nullptr) {
      std::string sentence = "no option of a machine is called " + ticked(name) + "; there is";
      for (const MachineKey& key : machine_keys()) sentence += std::string(" ") + key.name;
      in.fail_at(column, std::move(sentence));
    }
    in.expect("=");
    const auto value = found->parse(in.peek());
    if (!value) in.fail(found->expected());
    in.word("");
    found->set(program_.machine, *value);
  }
}

void Parser::bug(Cursor& in) {
  const int column = in.column();
  const std::string_view name = in.word("the name of a bug");
  const auto bug = racier::bug::find(name);
  if (!bug) in.fail_at(column, "no bug is called " + ticked(name));
  program_.bugs.arm(*bug);
}

void Parser::task(Cursor& in) {
  if (program_.tasks.size() == kProgramTasksMax) {
    in.fail_at(in.column(), "a program has at most 8 tasks");
  }
  const std::string name = task_name(list_ < 1 ? 0 : list_, kProgramTasksMax);
  const int column = in.column();
  const std::string_view word = in.word("the name of the task, " + ticked(name));
  if (word != name) {
    in.fail_at(column, "expected the name of the task, " + ticked(name) + ", not " +
                           ticked(word) + ": tasks are A, B, C ... in order");
  }
  program_.tasks.emplace_back();
  list_ = static_cast<int>(program_.tasks.size());
}

// ---- Calls ----------------------------------------------------------------------------

void Parser::call(Cursor& in) {
  Call call;
  int column = in.column();
  std::string_view name = in.word("an op");
  std::string_view result;
  const int result_column = column;
  if (in.take("=")) {
    result = name;
    column = in.column();
    name = in.word("an op");
  }
  const auto index = find_op(name);
  if (!index) in.fail_at(column, "no op is called " + ticked(name));
  call.op = *index;
  const Op& op = op_of(call);
  define(in, result, result_column, op);
  for (int i = 0; i < op.argument_count; ++i) argument(in, op, i, call);
  if (in.take("(")) property(in, call);
  if (in.take("->")) call.expected = expected(in);
  in.expect_end();
  call.note = take_comment();
  program_.list(list_).push_back(std::move(call));
}

void Parser::define(Cursor& in, std::string_view name, int column, const Op& op) {
  if (!op.defines) {
    if (name.empty()) return;
    in.fail_at(column, ticked(op.name) + " defines nothing: no name and no `=` before it");
  }
  const std::uint64_t number = defined_.of(*op.defines)++;
  if (name.empty()) return;
  if (!is_identifier(name)) in.fail_at(column, ticked(name) + " is not a name");
  if (file_number(name)) {
    in.fail_at(column, ticked(name) + " is the name of a file of the machine");
  }
  const Definition definition{*op.defines, number, in.line()};
  const auto [at, fresh] = definitions_.emplace(name, definition);
  if (fresh) return;
  std::string sentence = ticked(name) + " is defined already, in line ";
  append_decimal(sentence, static_cast<std::uint64_t>(at->second.line));
  in.fail_at(column, std::move(sentence));
}

void Parser::argument(Cursor& in, const Op& op, int index, Call& call) {
  const ArgumentType& type = op.type(index);
  const auto argument = static_cast<std::size_t>(index);
  const std::string expected =
      type.expected() + " for the " + op.argument_names[argument] + " of " + op.name;
  if (const auto kind = type.variable()) {
    const int column = in.column();
    const std::string_view name = in.word(expected);
    call.arguments[argument] = kNoVariable;
    if (name == "-") return;
    uses_.push_back({list_, program_.list(list_).size(), argument, *kind, std::string(name),
                     in.line(), column});
    return;
  }
  const auto value = type.parse(in.peek());
  if (!value) in.fail(expected);
  in.word(expected);
  call.arguments[argument] = *value;
}

void Parser::property(Cursor& in, Call& call) {
  const int column = in.column();
  const std::string_view name = in.word("fail_nth");
  if (name != "fail_nth") {
    in.fail_at(column, "no property of a call is called " + ticked(name) +
                           "; there is fail_nth");
  }
  in.expect(":");
  call.fail_nth = static_cast<std::uint16_t>(in.number("the number of an allocation",
                                                       0xffff, 1));
  in.expect(")");
}

Expected Parser::expected(Cursor& in) {
  constexpr std::string_view kExpected =
      "an outcome: a number, ok, skipped, an error such as nomem or segv, fault CODE, nofault";
  Expected expected;
  const std::string_view word = in.peek();
  if (word == "skipped") {
    in.word("");
    return {.what = Expected::What::kSkipped};
  }
  if (const auto status = find_status(word)) {
    in.word("");
    expected.what = Expected::What::kStatus;
    expected.status = *status;
  } else if (const auto value = parse_number(word)) {
    in.word("");
    expected.what = Expected::What::kValue;
    expected.value = *value;
  } else if (word != "fault" && word != "nofault") {
    in.fail(kExpected);
  }
  if (in.at_end()) return expected;
  if (in.peek() != "fault" && in.peek() != "nofault") {
    in.fail("fault CODE, nofault or the end of the line");
  }
  const bool fault = in.word("") == "fault";
  expected.fault = fault ? Expected::Fault::kCode : Expected::Fault::kNone;
  if (fault) {
    expected.error_code = static_cast<std::uint32_t>(in.number("the code of a fault", 0xff));
  }
  return expected;
}

// ---- Schedule -------------------------------------------------------------------------

void Parser::schedule(Cursor& in) {
  schedule_seen_ = true;
  program_.schedule.strategy = StrategyKind::kReplay;
  while (!in.at_end()) {
    const int column = in.column();
    const std::string_view key = in.word("strategy, seed, object or overrides");
    in.expect("=");
    schedule_key(in, key, column);
  }
}

void Parser::schedule_key(Cursor& in, std::string_view key, int column) {
  Schedule& schedule = program_.schedule;
  if (key == "strategy") {
    const auto strategy = find_strategy(in.peek());
    if (!strategy) in.fail("a strategy (run_to_block, random_walk, pos, replay)");
    in.word("");
    schedule.strategy = *strategy;
  } else if (key == "seed") {
    schedule.seed = in.number("a seed", ~0ull);
  } else if (key == "object") {
    schedule.object = static_cast<std::uint32_t>(in.number("an object", ~0u));
  } else if (key == "overrides") {
    overrides(in);
  } else {
    in.fail_at(column, "no part of a schedule is called " + ticked(key) +
                           "; there is strategy seed object overrides");
  }
}

// delta:target,delta:target,...
void Parser::overrides(Cursor& in) {
  std::vector<Override>& overrides = program_.schedule.overrides;
  do {
    if (overrides.size() == kOverridesMax) in.fail("at most 4 overrides");
    Override change;
    change.delta = static_cast<std::uint16_t>(in.number("steps since the last one", 0xffff));
    in.expect(":");
    change.target = static_cast<std::uint8_t>(in.number("the number of a task", 0xff));
    overrides.push_back(change);
  } while (in.take(","));
}

void Parser::schedule_line(Cursor& in) {
  Schedule& schedule = program_.schedule;
  if (schedule.strategy != StrategyKind::kReplay) {
    in.fail("expect or mark (only a replayed schedule has lines)");
  }
  if (in.peek() == "choose") {
    in.word("");
    Choice choice;
    choice.task = task_of_schedule(in);
    choice.index = static_cast<std::uint32_t>(in.number("the index of a choice", ~0u));
    in.expect("=");
    choice.value = in.number("the value of a choice", ~0ull);
    schedule.choices.push_back(choice);
  } else {
    Switch change;
    change.task = task_of_schedule(in);
    change.step = static_cast<std::uint32_t>(in.number("the number of a step", ~0u));
    in.expect("->");
    change.next = task_of_schedule(in);
    schedule.switches.push_back(change);
  }
  in.expect_end();
}

std::uint8_t Parser::task_of_schedule(Cursor& in) {
  const auto task = find_task(in.peek(), static_cast<int>(program_.tasks.size()));
  if (!task) in.fail("a task of this program, or rcu");
  in.word("");
  return static_cast<std::uint8_t>(*task);
}

// ---- Expectations ---------------------------------------------------------------------

std::optional<FindingKind> find_finding_kind(std::string_view name) {
  for (int i = 0; i < kFindingKinds; ++i) {
    const auto kind = static_cast<FindingKind>(i);
    if (name == finding_kind_name(kind)) return kind;
  }
  return std::nullopt;
}

void Parser::expect(Cursor& in) {
  if (std::exchange(expect_seen_, true)) in.fail_at(1, "there is one `expect`");
  Expectation& expectation = program_.expectation;
  const std::string_view what = in.peek();
  if (what != "clean" && what != "any" && what != "finding" && what != "invariant") {
    in.fail("clean, any, finding or invariant");
  }
  in.word("");
  if (what == "clean") return;
  expectation.kind = what == "any" ? Expectation::Kind::kAny : Expectation::Kind::kFinding;
  if (what == "finding") {
    const auto kind = find_finding_kind(in.peek());
    if (!kind) in.fail("a kind of finding, such as use-after-free");
    in.word("");
    expectation.finding = *kind;
    if (!in.at_end()) expectation.title = in.quoted("a title in quotes");
  } else if (what == "invariant") {
    const auto inv = inv::find(in.peek());
    if (!inv) in.fail("the name of an invariant");
    in.word("");
    expectation.finding = inv::row(*inv).kind;
    expectation.title = inv::row(*inv).sentence;
  }
}

void Parser::mark(Cursor& in) {
  const auto mark = mark::find(in.peek());
  if (!mark) in.fail("the name of a mark");
  in.word("");
  in.expect(">");
  in.expect("=");
  const auto at_least = static_cast<std::uint32_t>(in.number("a count", ~0u, 1));
  program_.marks.push_back({*mark, at_least});
}

// ---- Variables ------------------------------------------------------------------------

void Parser::resolve() {
  for (const Use& use : uses_) {
    const auto fail = [&](const std::string& sentence) {
      throw ParseError{use.line, use.column, sentence};
    };
    std::uint64_t& value = program_.list(use.list)[use.call].arguments[use.argument];
    const std::string expected = std::string("expected a ") + variable_noun(use.kind) + ", ";
    if (const auto file = file_number(use.name)) {
      if (use.kind != Variable::kFile) fail(expected + "not the file " + ticked(use.name));
      if (*file >= program_.machine.files) fail("the machine has no file " + ticked(use.name));
      value = *file;
      continue;
    }
    const auto found = definitions_.find(use.name);
    if (found == definitions_.end()) fail(expected + "but nothing defines " + ticked(use.name));
    if (found->second.kind != use.kind) {
      fail(expected + "not " + ticked(use.name) + ", which is a " +
           variable_noun(found->second.kind));
    }
    value = found->second.number;
  }
}

}  // namespace

std::string ParseError::str(std::string_view file) const {
  std::string text(file);
  append_decimal(text += ':', static_cast<std::uint64_t>(line));
  append_decimal(text += ':', static_cast<std::uint64_t>(column));
  return text + ": " + sentence;
}

Parsed parse(std::string_view text) {
  Parsed parsed;
  try {
    parsed.program = Parser().parse(text);
  } catch (ParseError& error) {
    parsed.error = std::move(error);
  }
  return parsed;
}

}  // namespace racier::program
