// core/program/parse.cc - parses programs, line by line.  Tested by parse_test.cc.
#include "core/program/parse.h"

#include "core/base/invariant.h"
#include "core/program/machine_keys.h"
#include "core/program/parser.h"
#include "core/program/text.h"

namespace racier::program {
namespace {

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

std::optional<FindingKind> find_finding_kind(std::string_view name) {
  for (int i = 0; i < kFindingKinds; ++i) {
    const auto kind = static_cast<FindingKind>(i);
    if (name == finding_kind_name(kind)) return kind;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> file_number(std::string_view name) {
  if (name.size() < 2 || name[0] != 'f' || name[1] < '0' || name[1] > '9') {
    return std::nullopt;
  }
  return parse_number(name.substr(1));
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
  constexpr std::string_view kSections[] = {"machine", "bug",      "drop",   "setup",
                                            "task",    "schedule", "expect", "mark"};
  for (const std::string_view section : kSections) {
    if (word == section) return section_line(in, in.word(""), column);
  }
  if (section_ == Section::kSetup || section_ == Section::kTasks) return call(in);
  if (section_ == Section::kSchedule) return schedule_line(in);
  in.fail("machine, bug, drop, setup, task, schedule, expect or mark");
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
  if (word == "machine" || word == "bug" || word == "drop") {
    enter(in, Section::kOptions, word, column);
    if (word == "machine") machine(in);
    if (word == "bug") bug(in);
    if (word == "drop") drop(in);
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
    in.fail_at(
        column,
        ticked(word) +
            " is too late here: the order is machine, bug and drop, setup, task, "
            "schedule, expect and mark");
  }
  if (section >= Section::kSchedule && section_ < Section::kSchedule) {
    note_schedule();
  }
  section_ = section;
}

// ---- Options
// --------------------------------------------------------------------------

void Parser::machine(Cursor& in) {
  if (std::exchange(machine_seen_, true)) in.fail_at(1, "there is one `machine`");
  Keys keys;
  while (!in.at_end()) {
    const int column = in.column();
    const std::string_view name = in.word("an option of the machine");
    const MachineKey* found = nullptr;
    for (const MachineKey& key : machine_keys()) {
      if (name == key.name) found = &key;
    }
    if (found == nullptr) {
      std::string sentence =
          "no option of a machine is called " + ticked(name) + "; there is";
      for (const MachineKey& key : machine_keys())
        sentence += std::string(" ") + key.name;
      in.fail_at(column, std::move(sentence));
    }
    keys.add(in, name, column);
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

void Parser::drop(Cursor& in) {
  const int column = in.column();
  const std::string_view kind =
      in.word("lock, reference, recheck, barrier, order, flush or grace");
  const std::string file(in.word("a place, as `munmap.cc:197`"));
  in.expect(":");
  const std::string line(in.word("the number of a line"));
  const auto site = find_site(kind, file + ":" + line);
  if (!site) {
    in.fail_at(column, "no place of the code is called " +
                           ticked(std::string(kind) + " " + file + ":" + line) +
                           ": it is one like `lock munmap.cc:197`");
  }
  program_.drops.push_back(*site);
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

// ---- Expectations
// ---------------------------------------------------------------------

void Parser::expect(Cursor& in) {
  if (std::exchange(expect_seen_, true)) in.fail_at(1, "there is one `expect`");
  Expectation& expectation = program_.expectation;
  const std::string_view what = in.peek();
  if (what != "clean" && what != "any" && what != "finding" && what != "invariant") {
    in.fail("clean, any, finding or invariant");
  }
  in.word("");
  if (what == "clean") return;
  expectation.kind =
      what == "any" ? Expectation::Kind::kAny : Expectation::Kind::kFinding;
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

// ---- Variables
// ------------------------------------------------------------------------

void Parser::resolve() {
  for (const Use& use : uses_) {
    const auto fail = [&](const std::string& sentence) {
      throw ParseError{use.line, use.column, sentence};
    };
    std::uint64_t& value = program_.list(use.list)[use.call].arguments[use.argument];
    const std::string expected =
        std::string("expected a ") + variable_noun(use.kind) + ", ";
    if (const auto file = file_number(use.name)) {
      if (use.kind != Variable::kFile)
        fail(expected + "not the file " + ticked(use.name));
      if (*file >= program_.machine.files)
        fail("the machine has no file " + ticked(use.name));
      value = *file;
      continue;
    }
    const auto found = definitions_.find(use.name);
    if (found == definitions_.end())
      fail(expected + "but nothing defines " + ticked(use.name));
    if (found->second.kind != use.kind) {
      fail(expected + "not " + ticked(use.name) + ", which is a " +
           variable_noun(found->second.kind));
    }
    value = found->second.number;
  }
}

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
