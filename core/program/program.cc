// core/program/program.cc - what makes a program a good one.  Tested by
// program_test.cc.
#include "core/program/program.h"

#include "core/program/machine_keys.h"
#include "core/program/ops.h"
#include "core/program/text.h"

namespace racier::program {
namespace {

using Problems = std::vector<std::string>;

std::string number_text(std::uint64_t value) {
  std::string text;
  append_decimal(text, value);
  return text;
}

void check_machine(const Program& program, Problems& problems) {
  for (const MachineKey& key : machine_keys()) {
    if (key.valid(key.get(program.machine))) continue;
    problems.push_back(std::string("machine: ") + key.name + " is " + key.expected());
  }
}

void check_call(const Program& program, const Scope& scope, int list, std::size_t index,
                Problems& problems) {
  const Call& call = program.list(list)[index];
  const std::string where =
      (list == 0 ? "setup" : "task " + task_name(list - 1, program.lists())) +
      ", call " + number_text(index + 1) + ": ";
  if (call.expected == Expected()) problems.push_back(where + "it expects nothing");
  const Op& op = op_of(call);
  for (int i = 0; i < kArgumentsMax; ++i) {
    const std::uint64_t value = call.arguments[static_cast<std::size_t>(i)];
    if (i < op.argument_count ? op.type(i).valid(value, scope) : value == 0) continue;
    problems.push_back(where + "argument " +
                       number_text(static_cast<std::uint64_t>(i) + 1) + " of " +
                       op.name + " cannot be " + number_text(value));
  }
}

void check_schedule(const Program& program, Problems& problems) {
  const Schedule& schedule = program.schedule;
  const std::size_t last = program.tasks.size();  // the task of RCU callbacks
  if (schedule.overrides.size() > kOverridesMax) {
    problems.push_back("schedule: more than " + number_text(kOverridesMax) +
                       " overrides");
  }
  if (schedule.depth > kDepthMax) {
    problems.push_back("schedule: a depth above " + number_text(kDepthMax));
  }
  const bool lists = !schedule.switches.empty() || !schedule.choices.empty();
  if (lists && schedule.strategy != StrategyKind::kReplay) {
    problems.push_back("schedule: switches and choices are for the strategy replay");
  }
  for (const Switch& change : schedule.switches) {
    if (change.task <= last && change.next <= last) continue;
    problems.push_back("schedule: a switch names a task that does not exist");
  }
  for (const Choice& choice : schedule.choices) {
    if (choice.task <= last) continue;
    problems.push_back("schedule: a choice names a task that does not exist");
  }
}

}  // namespace

std::size_t Program::calls() const {
  std::size_t count = 0;
  for (int i = 0; i < lists(); ++i) count += list(i).size();
  return count;
}

Scope scope_of(const Program& program) {
  Scope scope;
  scope.of(Variable::kFile) = program.machine.files;
  for (int i = 0; i < program.lists(); ++i) {
    for (const Call& call : program.list(i)) {
      if (const auto defined = op_of(call).defines) ++scope.of(*defined);
    }
  }
  return scope;
}

std::vector<std::string> validate(const Program& program) {
  Problems problems;
  check_machine(program, problems);
  if (program.tasks.size() > kProgramTasksMax) {
    problems.push_back("more than " + number_text(kProgramTasksMax) + " tasks");
  }
  for (int i = 0; i < program.lists(); ++i) {
    for (const Call& call : program.list(i)) {
      if (call.op < op_table().size()) continue;
      problems.push_back("there is no op " + number_text(call.op));
      return problems;  // nothing else can be said
    }
  }
  const Scope scope = scope_of(program);
  for (int i = 0; i < program.lists(); ++i) {
    for (std::size_t at = 0; at < program.list(i).size(); ++at) {
      check_call(program, scope, i, at, problems);
    }
  }
  check_schedule(program, problems);
  return problems;
}

std::string task_name(int task, int tasks) {
  if (task == tasks) return "rcu";
  return std::string(1, static_cast<char>('A' + task));
}

std::optional<int> find_task(std::string_view name, int tasks) {
  for (int task = 0; task <= tasks; ++task) {
    if (name == task_name(task, tasks)) return task;
  }
  return std::nullopt;
}

}  // namespace racier::program
