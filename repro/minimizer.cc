// repro/minimizer.cc - tries what is smaller.  Tested by minimizer_test.cc.
#include "repro/minimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/program/edit.h"
#include "core/program/machine_keys.h"
#include "core/program/ops.h"
#include "repro/long_run.h"
#include "repro/schedule_of_run.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

using program::Call;
using program::Program;

// How many schedules a smaller program gets to show the finding under.
constexpr std::uint64_t kExecutions = 200;
// Of those with few preemptions, which are tried in order.
constexpr std::uint64_t kOrderedExecutions = 3000;
constexpr int kPreemptionsMax = 2;

// What calls gave, and how often a mark was hit, is no longer what it was.
void forget_expectations(Program& program) {
  for (int list = 0; list < program.lists(); ++list) {
    for (Call& call : program.list(list)) call.expected.reset();
  }
  program.marks.clear();
}

std::size_t decisions_of(const Program& program) {
  return program.schedule.switches.size() + program.schedule.choices.size();
}

}  // namespace

// ---- ProcessProbe
// ---------------------------------------------------------------------

ProcessProbe::ProcessProbe(std::string signature) : signature_(std::move(signature)) {}

bool ProcessProbe::run(Program& candidate) {
  const program::RunResult& result = runner_.run(candidate, runtime_, {});
  if (!result.finding) return false;
  std::string signature = result.finding->signature();
  if (!signature_.empty() && signature != signature_) return false;
  shown_ = std::move(signature);
  candidate.schedule = schedule_of_run(result, runtime_);
  candidate.expectation = {program::Expectation::Kind::kFinding, result.finding->kind,
                           result.finding->title};
  return true;
}

bool ProcessProbe::search(Program& candidate, Schedule recipe,
                          std::uint64_t executions) {
  recipe.plain_steps = candidate.schedule.plain_steps;
  runtime_.set_schedule(recipe);
  for (std::uint64_t i = 0; i < executions && !stress::stop_requested(); ++i) {
    if (run(candidate)) return true;
    if (!runtime_.strategy().next_execution()) return false;
  }
  return false;
}

bool ProcessProbe::shows(Program& candidate, std::uint64_t executions) {
  runtime_.set_steps_max(steps_max_of(candidate));
  runtime_.set_schedule(candidate.schedule);
  if (run(candidate)) return true;
  Schedule recipe;
  recipe.strategy = StrategyKind::kPortfolio;
  recipe.seed = 1;
  return search(candidate, recipe, executions);
}

bool ProcessProbe::shows_within(Program& candidate, int depth,
                                std::uint64_t executions) {
  runtime_.set_steps_max(steps_max_of(candidate));
  // (To the strategy a depth of 0 is any.)
  if (depth == 0) return search(candidate, {}, 1);
  Schedule recipe;
  recipe.strategy = StrategyKind::kExhaustive;
  recipe.depth = static_cast<std::uint8_t>(depth);
  return search(candidate, recipe, executions);
}

// ---- Minimizer
// ------------------------------------------------------------------------

std::string sizes_of(const Program& program) {
  return fmt::format("{} tasks, {} calls, {} switches and choices",
                     program.tasks.size(), program.calls(), decisions_of(program));
}

Minimizer::Minimizer(Program program, Probe& probe, Hooks hooks)
    : best_(std::move(program)), probe_(probe), hooks_(std::move(hooks)) {
  forget_expectations(best_);
}

bool Minimizer::over() {
  if (!count_.stopped) count_.stopped = hooks_.stop();
  return count_.stopped;
}

bool Minimizer::keep(Program candidate, Schedules schedules) {
  if (over() || !program::validate(candidate).empty()) return false;
  ++count_.candidates;
  if (!probe_.shows(candidate, kExecutions)) return false;
  const bool longer = decisions_of(candidate) > decisions_of(best_);
  if (longer && schedules == Schedules::kNoLonger) {
    if (!probe_.shows_within(candidate, kPreemptionsMax, kExecutions)) return false;
    if (decisions_of(candidate) > decisions_of(best_)) return false;
  }
  ++count_.kept;
  best_ = std::move(candidate);
  hooks_.is_smaller(best_);
  return true;
}

bool Minimizer::fewer_bugs() {
  bool smaller = false;
  for (const bug::Row& row : bug::rows()) {
    if (!best_.bugs.has(row.bug)) continue;
    Program candidate = best_;
    candidate.bugs = {};
    for (const bug::Row& other : bug::rows()) {
      const bool stays = other.bug != row.bug && best_.bugs.has(other.bug);
      if (stays) candidate.bugs.arm(other.bug);
    }
    smaller = keep(std::move(candidate)) || smaller;
  }
  return smaller;
}

bool Minimizer::fewer_drops() {
  bool smaller = false;
  for (std::size_t i = best_.drops.size(); i-- > 0;) {
    Program candidate = best_;
    candidate.drops.erase(candidate.drops.begin() + static_cast<std::ptrdiff_t>(i));
    smaller = keep(std::move(candidate)) || smaller;
  }
  return smaller;
}

bool Minimizer::fewer_tasks() {
  bool smaller = false;
  for (int task = static_cast<int>(best_.tasks.size()) - 1; task >= 0; --task) {
    if (best_.tasks.size() == 1) break;
    Program candidate = best_;
    program::erase_task(candidate, task);
    smaller = keep(std::move(candidate)) || smaller;
  }
  return smaller;
}

// Halves of a list first, then quarters, and so on, from the end.
bool Minimizer::fewer_calls() {
  bool smaller = false;
  for (int list = best_.lists() - 1; list >= 0; --list) {
    for (std::size_t part = best_.list(list).size(); part > 0; part /= 2) {
      for (std::size_t end = best_.list(list).size(); end > 0;) {
        if (over()) return smaller;
        const std::size_t begin = end > part ? end - part : 0;
        Program candidate = best_;
        for (std::size_t i = end; i > begin; --i) {
          program::erase_call(candidate, {list, i - 1});
        }
        smaller = keep(std::move(candidate)) || smaller;
        end = begin;
      }
    }
  }
  return smaller;
}

// What a task does first may as well be done before there are tasks.
bool Minimizer::earlier_calls() {
  bool smaller = false;
  for (int list = 1; list < best_.lists(); ++list) {
    while (!best_.list(list).empty()) {
      Program candidate = best_;
      program::move_call(candidate, {list, 0}, {0, candidate.setup.size()});
      if (!keep(std::move(candidate), Schedules::kNoLonger)) break;
      smaller = true;
    }
  }
  return smaller;
}

bool Minimizer::plainer_machine() {
  bool smaller = false;
  const MachineOptions plain;
  for (const program::MachineKey& key : program::machine_keys()) {
    if (key.get(best_.machine) == key.get(plain)) continue;
    Program candidate = best_;
    key.set(candidate.machine, key.get(plain));
    smaller = keep(std::move(candidate), Schedules::kNoLonger) || smaller;
  }
  return smaller;
}

bool Minimizer::plainer_arguments() {
  bool smaller = false;
  for (int list = 0; list < best_.lists(); ++list) {
    for (std::size_t i = 0; i < best_.list(list).size(); ++i) {
      const Call call = best_.list(list)[i];
      const program::Op& op = program::op_of(call);
      const auto with = [&](auto change) {
        Program candidate = best_;
        change(candidate.list(list)[i]);
        smaller = keep(std::move(candidate), Schedules::kNoLonger) || smaller;
      };
      if (call.fail_nth != 0) with([](Call& other) { other.fail_nth = 0; });
      for (int a = 0; a < op.argument_count; ++a) {
        const auto at = static_cast<std::size_t>(a);
        const std::uint64_t plain = op.type(a).simplest();
        if (op.type(a).variable() || call.arguments[at] == plain) continue;
        with([&](Call& other) { other.arguments[at] = plain; });
      }
    }
  }
  return smaller;
}

// Takes `candidate` if it decides less than the best one.
bool Minimizer::keep_shorter(Program candidate) {
  if (decisions_of(candidate) >= decisions_of(best_)) return false;
  ++count_.kept;
  best_ = std::move(candidate);
  hooks_.is_smaller(best_);
  return true;
}

bool Minimizer::fewer_switches() {
  bool smaller = false;
  const auto without_each = [&](auto list_of) {
    for (std::size_t i = list_of(best_).size(); i > 0 && !over(); --i) {
      if (i > list_of(best_).size()) continue;
      Program candidate = best_;
      auto& list = list_of(candidate);
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(i - 1));
      ++count_.candidates;
      const bool shows = probe_.shows(candidate, 0);
      smaller = (shows && keep_shorter(std::move(candidate))) || smaller;
    }
  };
  without_each([](Program & program) -> auto& { return program.schedule.switches; });
  without_each([](Program & program) -> auto& { return program.schedule.choices; });
  return smaller;
}

// The fewest there can be, where that many schedules are enough to know.
bool Minimizer::fewer_preemptions() {
  for (int depth = 0; depth <= kPreemptionsMax; ++depth) {
    if (decisions_of(best_) == 0 || over()) return false;
    Program candidate = best_;
    ++count_.candidates;
    if (!probe_.shows_within(candidate, depth, kOrderedExecutions)) continue;
    return keep_shorter(std::move(candidate));
  }
  return false;
}

Minimized Minimizer::minimize() {
  fewer_tasks();
  bool smaller = true;
  while (smaller && !over()) {
    smaller = fewer_bugs();
    smaller = fewer_drops() || smaller;
    smaller = fewer_calls() || smaller;
    smaller = fewer_tasks() || smaller;
    smaller = plainer_machine() || smaller;
    smaller = plainer_arguments() || smaller;
    smaller = earlier_calls() || smaller;
    smaller = fewer_switches() || smaller;
    smaller = fewer_preemptions() || smaller;
  }
  return count_;
}

}  // namespace racier::repro
