// core/program/print.cc - prints programs.  Tested by print_test.cc.
#include "core/program/print.h"

#include "core/base/invariant.h"
#include "core/program/machine_keys.h"
#include "core/program/ops.h"
#include "core/program/text.h"

namespace racier::program {
namespace {

void print_comment(std::string& text, std::string_view comment, const char* indent) {
  if (comment.empty()) return;
  for (std::size_t start = 0; start <= comment.size();) {
    const std::size_t end = std::min(comment.find('\n', start), comment.size());
    const std::string_view line = comment.substr(start, end - start);
    text += std::string(indent) + (line.empty() ? "#" : "# ");
    text += line;
    text += '\n';
    start = end + 1;
  }
}

void print_machine(std::string& text, const MachineOptions& machine) {
  static const MachineOptions kUsual;
  std::string line;
  for (const MachineKey& key : machine_keys()) {
    if (key.get(machine) == key.get(kUsual)) continue;
    line += std::string(" ") + key.name + "=" + key.print(key.get(machine));
  }
  if (!line.empty()) text += "machine" + line + "\n";
}

void print_bugs(std::string& text, const BugSet& bugs) {
  for (const bug::Row& row : bug::rows()) {
    if (bugs.has(row.bug)) text += std::string("bug ") + row.name + "\n";
  }
}

void print_drops(std::string& text, const std::vector<SiteName>& drops) {
  for (const SiteName& site : drops) text += "drop " + site_text(site) + "\n";
}

void print_calls(std::string& text, const Calls& calls, Scope& defined) {
  for (const Call& call : calls) {
    print_comment(text, call.note, "  ");
    std::uint64_t result = 0;
    if (const auto kind = op_of(call).defines) result = defined.of(*kind)++;
    text += "  " + print_call(call, result) + "\n";
  }
}

void print_overrides(std::string& text, const std::vector<Override>& overrides) {
  const char* separator = " overrides=";
  for (const Override& change : overrides) {
    text += separator;
    append_decimal(text, change.delta);
    text += ':';
    append_decimal(text, change.target);
    separator = ",";
  }
}

void print_schedule(std::string& text, const Schedule& schedule, int tasks) {
  if (schedule == Schedule()) return;
  text += "schedule";
  if (schedule.strategy != StrategyKind::kReplay) {
    text += std::string(" strategy=") + strategy_name(schedule.strategy);
  }
  if (schedule.seed != 0) append_decimal(text += " seed=", schedule.seed);
  if (schedule.object != 0) append_decimal(text += " object=", schedule.object);
  if (schedule.depth != 0 && has_depth(schedule.strategy)) {
    append_decimal(text += " depth=", schedule.depth);
  }
  if (schedule.plain_steps) text += " steps=plain";
  print_overrides(text, schedule.overrides);
  text += '\n';
  for (const Switch& change : schedule.switches) {
    append_decimal(text += "  " + task_name(change.task, tasks) + " ", change.step);
    text += " -> " + task_name(change.next, tasks) + "\n";
  }
  for (const Choice& choice : schedule.choices) {
    append_decimal(text += "  choose " + task_name(choice.task, tasks) + " ",
                   choice.index);
    append_decimal(text += " = ", choice.value);
    text += '\n';
  }
}

const char* invariant_name(const Expectation& expectation) {
  for (const inv::Row& row : inv::rows()) {
    if (row.kind == expectation.finding && expectation.title == row.sentence) {
      return row.name;
    }
  }
  return nullptr;
}

void print_quoted(std::string& text, std::string_view title) {
  text += '"';
  for (const char c : title) {
    if (c == '"' || c == '\\') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  text += '"';
}

void print_expectation(std::string& text, const Expectation& expectation) {
  switch (expectation.kind) {
    case Expectation::Kind::kClean:
      text += "expect clean\n";
      return;
    case Expectation::Kind::kAny:
      text += "expect any\n";
      return;
    case Expectation::Kind::kFinding:
      break;
  }
  if (const char* const name = invariant_name(expectation)) {
    text += std::string("expect invariant ") + name + "\n";
    return;
  }
  text += std::string("expect finding ") + finding_kind_name(expectation.finding);
  if (!expectation.title.empty()) print_quoted(text += ' ', expectation.title);
  text += '\n';
}

}  // namespace

std::string print_call(const Call& call, std::uint64_t result) {
  const Op& op = op_of(call);
  std::string text;
  if (op.defines) text += variable_name(*op.defines, result) + " = ";
  text += op.name;
  for (int i = 0; i < op.argument_count; ++i) {
    op.type(i).print(text += ' ', call.arguments[static_cast<std::size_t>(i)]);
  }
  if (call.fail_nth != 0) {
    append_decimal(text += " (fail_nth: ", call.fail_nth);
    text += ')';
  }
  if (call.expected) text += " -> " + call.expected->str();
  return text;
}

std::string print(const Program& program) {
  std::string text;
  print_comment(text, program.header, "");
  print_machine(text, program.machine);
  print_bugs(text, program.bugs);
  print_drops(text, program.drops);
  const int tasks = static_cast<int>(program.tasks.size());
  Scope defined;
  for (int i = 0; i < program.lists(); ++i) {
    text += i == 0 ? "setup\n" : "task " + task_name(i - 1, tasks) + "\n";
    print_calls(text, program.list(i), defined);
  }
  print_comment(text, program.schedule_note, "");
  print_schedule(text, program.schedule, tasks);
  print_expectation(text, program.expectation);
  for (const MarkExpectation& mark : program.marks) {
    text +=
        std::string("mark ") + mark::rows()[static_cast<std::size_t>(mark.mark)].name;
    append_decimal(text += " >= ", mark.at_least);
    text += '\n';
  }
  return text;
}

}  // namespace racier::program
