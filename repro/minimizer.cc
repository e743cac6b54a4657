// repro/minimizer.cc - tries what is smaller.  Tested by minimizer_test.cc.
#include "repro/minimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/program/edit.h"
#include "core/program/machine_keys.h"
#include "core/program/ops.h"
#include "core/runtime/exhaustive.h"
#include "repro/explainer.h"
#include "repro/long_run.h"
#include "repro/schedule_of_run.h"

namespace racier::repro {
namespace {

using program::Call;
using program::Program;

// How many schedules a smaller program gets to show the finding under.
constexpr std::uint64_t kExecutions = 200;
// For so many a program is as short as it can be.
constexpr int kFewPreemptions = 1;

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

// Goes on to the next choice of as many places, each above the one behind it, from the
// last places to the first; returns false if it was that of the first ones.
bool next_places(std::vector<std::size_t>& places) {
  for (std::size_t i = places.size(); i-- > 0;) {
    if (places[i] <= places.size() - 1 - i) continue;
    --places[i];
    for (std::size_t j = i + 1; j < places.size(); ++j) places[j] = places[j - 1] - 1;
    return true;
  }
  return false;
}

}  // namespace

// ---- ProcessProbe
// ---------------------------------------------------------------------

ProcessProbe::ProcessProbe(std::string signature, std::function<bool()> stop)
    : signature_(std::move(signature)), stop_(std::move(stop)) {}

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

bool ProcessProbe::search(Program& candidate, std::uint64_t executions,
                          FunctionRef<bool()> more) {
  for (std::uint64_t i = 0; i < executions && more() && !stop_(); ++i) {
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
  recipe.plain_steps = candidate.schedule.plain_steps;
  runtime_.set_schedule(recipe);
  return search(candidate, executions, [] { return true; });
}

bool ProcessProbe::shows_within(Program& candidate, int depth,
                                std::uint64_t executions) {
  runtime_.set_steps_max(steps_max_of(candidate));
  Schedule recipe;
  recipe.plain_steps = candidate.schedule.plain_steps;
  runtime_.set_schedule(recipe);
  auto strategy = std::make_unique<Exhaustive>(
      Exhaustive::Options{.most = std::clamp(depth, 1, kDepthMax),  // (to it 0 is any)
                          .reduction = Exhaustive::Reduction::kMeetings,
                          .choices = Exhaustive::Choices::kAlike});
  const Exhaustive& exhaustive = *strategy;
  runtime_.set_strategy(std::move(strategy));
  return search(candidate, executions, [&] { return exhaustive.bound() <= depth; });
}

int ProcessProbe::preemptions(const Program& candidate) {
  const auto explanation = explain(candidate, "");
  return explanation ? explanation->preemptions : 0;
}

// ---- Minimizer
// ------------------------------------------------------------------------

std::string sizes_of(const Program& program) {
  return fmt::format("{} tasks, {} calls, {} switches and choices",
                     program.tasks.size(), program.calls(), decisions_of(program));
}

Minimizer::Minimizer(Program program, Probe& probe, Hooks hooks, std::uint64_t ordered)
    : best_(std::move(program)),
      probe_(probe),
      hooks_(std::move(hooks)),
      ordered_(ordered) {
  forget_expectations(best_);
}

bool Minimizer::over() {
  if (!count_.stopped) count_.stopped = hooks_.stop();
  return count_.stopped;
}

bool Minimizer::is_longer(const Program& candidate) {
  return decisions_of(candidate) > decisions_of(best_) ||
         probe_.preemptions(candidate) > probe_.preemptions(best_);
}

bool Minimizer::keep(Program candidate, Schedules schedules) {
  if (over() || !program::validate(candidate).empty()) return false;
  ++count_.candidates;
  if (!probe_.shows(candidate, kExecutions)) return false;
  if (most_ && probe_.preemptions(candidate) > *most_ &&
      !probe_.shows_within(candidate, *most_, kOrdered)) {
    return false;
  }
  if (schedules == Schedules::kNoLonger && is_longer(candidate)) {
    const int depth = probe_.preemptions(best_);
    if (!probe_.shows_within(candidate, depth, kExecutions)) return false;
    if (is_longer(candidate)) return false;
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

// Takes `candidate` if it has fewer preemptions, or as many and decides less.
bool Minimizer::keep_shorter(Program candidate) {
  const int now = probe_.preemptions(best_);
  const int then = probe_.preemptions(candidate);
  const bool decides_less = decisions_of(candidate) < decisions_of(best_);
  if (then > now || (then == now && !decides_less)) return false;
  ++count_.kept;
  best_ = std::move(candidate);
  hooks_.is_smaller(best_);
  return true;
}

// Without a few switches at once a task does in one turn what it did in two, before
// what others did in between, or after that.
bool Minimizer::without_switches(std::size_t count) {
  bool smaller = false;
  std::vector<std::size_t> places;
  for (bool more = true; more && !over();) {
    const std::size_t size = best_.schedule.switches.size();
    if (size < count) return smaller;
    if (places.empty() || places.front() >= size) {
      places.clear();
      for (std::size_t i = 0; i < count; ++i) places.push_back(size - 1 - i);
    }
    Program candidate = best_;
    auto& switches = candidate.schedule.switches;
    for (const std::size_t place : places) {
      switches.erase(switches.begin() + static_cast<std::ptrdiff_t>(place));
    }
    ++count_.candidates;
    const bool shows = probe_.shows(candidate, 0);
    smaller = (shows && keep_shorter(std::move(candidate))) || smaller;
    more = next_places(places);
  }
  return smaller;
}

bool Minimizer::without_choices() {
  bool smaller = false;
  for (std::size_t i = best_.schedule.choices.size(); i > 0 && !over(); --i) {
    if (i > best_.schedule.choices.size()) continue;
    Program candidate = best_;
    auto& choices = candidate.schedule.choices;
    choices.erase(choices.begin() + static_cast<std::ptrdiff_t>(i - 1));
    ++count_.candidates;
    const bool shows = probe_.shows(candidate, 0);
    smaller = (shows && keep_shorter(std::move(candidate))) || smaller;
  }
  return smaller;
}

bool Minimizer::fewer_switches() {
  constexpr std::size_t kAtOnce = 4;
  constexpr std::size_t kForAll[] = {SIZE_MAX, 100, 24, 14};  // so few switches
  bool smaller = false;
  for (std::size_t count = 1; count <= kAtOnce; ++count) {
    if (best_.schedule.switches.size() > kForAll[count - 1]) break;
    smaller = without_switches(count) || smaller;
  }
  return without_choices() || smaller;
}

// The fewest there can be, where that many schedules are enough to know.
bool Minimizer::fewer_preemptions() {
  if (decisions_of(best_) == 0 || over()) return false;
  Program candidate = best_;
  ++count_.candidates;
  return probe_.shows_within(candidate, probe_.preemptions(best_), ordered_) &&
         keep_shorter(std::move(candidate));
}

// Without one switch, and with another one at any step between those before and behind
// it of the same task.
bool Minimizer::moved_switch(std::size_t left_out, std::size_t moved) {
  constexpr std::uint32_t kBeyond = 50;  // steps behind the last switch of a task
  Program without = best_;
  auto& switches = without.schedule.switches;
  const Switch from = switches[moved];
  switches.erase(switches.begin() + static_cast<std::ptrdiff_t>(left_out));
  const std::size_t at = moved - (left_out < moved ? 1 : 0);
  std::uint32_t low = 0, high = from.step + kBeyond;
  for (std::size_t i = 0; i < switches.size(); ++i) {
    if (i == at || switches[i].task != from.task) continue;
    if (i < at) low = switches[i].step + 1;
    if (i > at) {
      high = switches[i].step;
      break;
    }
  }
  for (std::uint32_t step = low; step < high && !over(); ++step) {
    Program candidate = without;
    candidate.schedule.switches[at].step = step;
    ++count_.candidates;
    if (probe_.shows(candidate, 0) && keep_shorter(std::move(candidate))) return true;
  }
  return false;
}

// What a task did in two turns it does in one, before or behind what others did between
// them, if one of those comes a bit sooner or later: some thousand schedules, where to
// try all in order takes far more.
bool Minimizer::moved_switches() {
  constexpr std::size_t kForAll = 9;  // so few switches
  bool smaller = false;
  for (std::size_t left_out = 0; left_out < best_.schedule.switches.size();
       ++left_out) {
    for (std::size_t moved = 0; moved < best_.schedule.switches.size(); ++moved) {
      if (best_.schedule.switches.size() > kForAll || over()) return smaller;
      if (probe_.preemptions(best_) <= kFewPreemptions) return smaller;
      if (left_out >= best_.schedule.switches.size()) return smaller;
      if (moved != left_out) smaller = moved_switch(left_out, moved) || smaller;
    }
  }
  return smaller;
}

void Minimizer::reduce() {
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
    smaller = moved_switches() || smaller;
    smaller = fewer_preemptions() || smaller;
  }
}

// A call more may save preemptions, and they are what is hard to follow.
Minimized Minimizer::minimize() {
  Program whole = best_;
  reduce();
  const int preemptions = probe_.preemptions(best_);
  if (preemptions <= kFewPreemptions || over()) return count_;
  ++count_.candidates;
  if (!probe_.shows_within(whole, preemptions - 1, ordered_)) return count_;
  most_ = probe_.preemptions(whole);
  if (*most_ >= preemptions) return count_;
  ++count_.kept;
  best_ = std::move(whole);
  reduce();
  return count_;
}

}  // namespace racier::repro
