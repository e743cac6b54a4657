// repro/pair_search.cc - see pair_search.h.  Tested by pair_search_test.cc.
#include "repro/pair_search.h"

#include <fmt/format.h>

#include <ctime>

#include "core/program/ops.h"
#include "core/program/print.h"
#include "core/rmap/scheme.h"
#include "repro/files.h"
#include "repro/schedule_of_run.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;

// Of the processor, in seconds: others may use it, too.
double processor_time() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

Period written_under(std::string_view design) {
  for (const rmap::SchemeRow& row : rmap::schemes()) {
    if (design == row.name) return row.written_under;
  }
  return {};
}

std::vector<PairMachine> make_machines() {
  std::vector<PairMachine> machines;
  for (const rmap::SchemeRow& row : rmap::schemes()) {
    machines.push_back({row.name, row.name, row.written_under, false});
  }
  const auto add = [&](const char* name, const char* design, VmaLookup lookup) {
    machines.push_back({name, design, written_under(design), true});
    machines.back().period.lookup = lookup;
  };
  add("mmap_cache", "pte_chain", VmaLookup::kMmapCache);
  add("kamezawa", "anon_vma_spin", VmaLookup::kKamezawa);
  machines.back().period.split_ptl = true;
  add("vmacache", "anon_vma_chain", VmaLookup::kVmacache);
  add("per_vma", "anon_vma_chain", VmaLookup::kPerVma);
  machines.back().period.batched_unmap = true;
  add("cpumask", "anon_vma_chain", VmaLookup::kTree);
  machines.back().period.mm_cpumask = true;
  return machines;
}

}  // namespace

MachineOptions PairMachine::of(MachineOptions options) const {
  options.rmap = rmap;
  options.period = period;
  return options;
}

const std::vector<PairMachine>& pair_machines() {
  static const std::vector<PairMachine> kMachines = make_machines();
  return kMachines;
}

std::vector<PairMachine> pair_machines_named(const std::string& name) {
  std::vector<PairMachine> machines;
  std::string names;
  for (const PairMachine& machine : pair_machines()) {
    if (name.empty() || name == "all" || name == machine.name)
      machines.push_back(machine);
    names += machine.name + ", ";
  }
  if (machines.empty()) {
    throw BadInput(fmt::format("no machine '{}': {}or all", name, names));
  }
  return machines;
}

const char* pair_state_name(PairState state) {
  constexpr const char* kNames[] = {"apart", "clean", "finding", "incomplete",
                                    "not run"};
  static_assert(sizeof kNames / sizeof kNames[0] == kPairStates);
  return kNames[static_cast<int>(state)];
}

Exhaustive& PairSearch::begin(int preemptions) {
  auto strategy = std::make_unique<Exhaustive>(
      Exhaustive::Options{.most = preemptions,
                          .reduction = Exhaustive::Reduction::kMeetings,
                          .last_task = Exhaustive::LastTask::kWaitsFirst,
                          .choices = Exhaustive::Choices::kAlike});
  Exhaustive& exhaustive = *strategy;
  runtime_.set_strategy(std::move(strategy));
  return exhaustive;
}

void PairSearch::learn_harness(const program::Program& program) {
  program::Program nothing;
  nothing.machine = program.machine;
  program::Call call;  // of an op that wants what there is not
  call.op = *program::find_op("proc_maps");
  call.arguments[0] = program::kNoVariable;
  nothing.tasks = {{call}, {call}};
  Exhaustive& strategy = begin(1);
  do {
    runner_.run(nothing, runtime_, {});
  } while (strategy.next_execution());
  harness_ = strategy.words();
}

PairResult PairSearch::search(const program::Program& program, const PairLimits& limits,
                              const Wanted& wanted) {
  const double began = processor_time();
  learn_harness(program);
  PairResult pair;
  Exhaustive& strategy = begin(limits.preemptions);
  pair.state = PairState::kIncomplete;
  for (;;) {
    if (stress::stop_requested()) pair.why = "it was stopped";
    if (Clock::now() >= limits.deadline) pair.why = "the time is over";
    if (pair.runs == limits.runs) pair.why = fmt::format("{} runs", pair.runs);
    if (!pair.why.empty()) break;
    ++pair.runs;
    const program::RunResult& result = runner_.run(program, runtime_, {});
    if (result.finding && wanted(*result.finding)) {
      pair.state = PairState::kFinding;
      pair.kind = finding_kind_name(result.finding->kind);
      pair.why = result.finding->title;
      program::Program shown = program;
      shown.schedule = schedule_of_run(result, runtime_);
      pair.program = program::print(shown);
      break;
    }
    if (strategy.next_execution()) continue;
    pair.words = strategy.words().common(0, 1, &harness_);
    pair.state = pair.words == 0 ? PairState::kApart : PairState::kClean;
    if (strategy.tried() == Strategy::Tried::kSome) {
      pair.state = PairState::kIncomplete;
      pair.why = strategy.diverged() ? "two runs of one schedule differed"
                                     : "a run was too long";
    }
    break;
  }
  pair.schedules = strategy.executions();
  pair.seconds = processor_time() - began;
  return pair;
}

}  // namespace racier::repro
