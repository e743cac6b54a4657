// core/runtime/runtime_benchmark.cc - what a switch, a step and a run cost.
//
// The reference is the bare context switch, measured in the same process.
#include <benchmark/benchmark.h>

#include "core/runtime/run_alone.h"
#include "core/runtime/trace.h"
#include "core/sync/lock_checker.h"
#include "core/sync/spin_lock.h"

namespace racier {
namespace {

constexpr LockClass kClass{"benchmark", 1};

// ---- The reference ------------------------------------------------------------------

struct PingPong {
  Fiber here, there;
};

void pong(void* argument) {
  auto& fibers = *static_cast<PingPong*>(argument);
  Fiber::entered(fibers.here);
  for (;;) fibers.there.switch_to(fibers.here);
}

void raw_switch(benchmark::State& state) {
  PingPong fibers;
  fibers.here.adopt_thread();
  fibers.there.create(&pong, &fibers, "pong");
  for (auto _ : state) fibers.here.switch_to(fibers.there);
  state.SetItemsProcessed(state.iterations() * 2);
}
BENCHMARK(raw_switch);

// ---- Steps --------------------------------------------------------------------------

// Two tasks take and release one spinlock; items are steps.
void lock_only(benchmark::State& state, StrategyKind strategy) {
  constexpr int kRounds = 10'000;
  LockChecker checker;
  RunState run;
  run.lock_checker = &checker;
  SpinLock lock(kClass);
  const auto body = [&] {
    for (int i = 0; i < kRounds; ++i) const SpinGuard guard(lock);
  };
  const Body bodies[] = {body, body};
  FiberRuntime runtime(seeded(strategy, 1));
  std::int64_t steps = 0;
  for (auto _ : state) {
    run.reset();
    runtime.run(run, bodies);
    runtime.strategy().next_execution();
    steps += runtime.steps();
  }
  state.SetItemsProcessed(steps);
}
BENCHMARK_CAPTURE(lock_only, run_to_block, StrategyKind::kRunToBlock);
BENCHMARK_CAPTURE(lock_only, random_walk, StrategyKind::kRandomWalk);
BENCHMARK_CAPTURE(lock_only, pos, StrategyKind::kPos);
BENCHMARK_CAPTURE(lock_only, pct, StrategyKind::kPct);
BENCHMARK_CAPTURE(lock_only, starvation, StrategyKind::kStarvation);
BENCHMARK_CAPTURE(lock_only, surw, StrategyKind::kSurw);
BENCHMARK_CAPTURE(lock_only, reads_from, StrategyKind::kReadsFrom);

// The bare machinery: `tasks` tasks add to one word; items are steps.
void words_only(benchmark::State& state, StrategyKind strategy) {
  RunState run;
  Atomic<int> word{0};
  const auto body = [&] {
    for (int i = 0; i < 10'000; ++i) word.fetch_add(1);
  };
  const std::vector<Body> bodies(static_cast<std::size_t>(state.range(0)), body);
  FiberRuntime runtime(seeded(strategy, 1));
  std::int64_t steps = 0;
  for (auto _ : state) {
    run.reset();
    runtime.run(run, bodies);
    steps += runtime.steps();
  }
  state.SetItemsProcessed(steps);
}
BENCHMARK_CAPTURE(words_only, run_to_block, StrategyKind::kRunToBlock)->Arg(2);
BENCHMARK_CAPTURE(words_only, random_walk, StrategyKind::kRandomWalk)->Arg(2)->Arg(8);
BENCHMARK_CAPTURE(words_only, pos, StrategyKind::kPos)->Arg(2)->Arg(8);

// ---- Runs ---------------------------------------------------------------------------

// Complete runs of four tasks, about ten steps each, a new seed for each; items are
// runs.
void short_runs(benchmark::State& state, StrategyKind strategy) {
  RunState run;
  SpinLock lock(kClass);
  int counter = 0;
  const auto body = [&] {
    for (int i = 0; i < 4; ++i) {
      const SpinGuard guard(lock);
      ++counter;
    }
  };
  const Body bodies[] = {body, body, body, body};
  FiberRuntime runtime;
  std::uint64_t seed = 0;
  for (auto _ : state) {
    run.reset();
    runtime.set_schedule(seeded(strategy, ++seed));
    runtime.run(run, bodies);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(short_runs, random_walk, StrategyKind::kRandomWalk);
BENCHMARK_CAPTURE(short_runs, pos, StrategyKind::kPos);
BENCHMARK_CAPTURE(short_runs, pct, StrategyKind::kPct);
BENCHMARK_CAPTURE(short_runs, surw, StrategyKind::kSurw);

// The same, each ended by a finding in the middle.
void aborted_runs(benchmark::State& state) {
  RunState run;
  SpinLock lock(kClass);
  const auto body = [&] {
    const SpinGuard guard(lock);
    if (current()->id == 1) report(FindingKind::kRmap, "enough");
  };
  const Body bodies[] = {body, body, body, body};
  FiberRuntime runtime;
  for (auto _ : state) {
    run.reset();
    runtime.run(run, bodies);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(aborted_runs);

}  // namespace
}  // namespace racier
