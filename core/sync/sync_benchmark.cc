// core/sync/sync_benchmark.cc - what a lock costs: alone on a thread, and shared on
// fibers.
#include <benchmark/benchmark.h>

#include <vector>

#include "core/runtime/run_alone.h"
#include "core/sync/bit_spin_lock.h"
#include "core/sync/lock_checker.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu.h"
#include "core/sync/ref_count.h"
#include "core/sync/rw_semaphore.h"
#include "core/sync/seq_count.h"
#include "core/sync/spin_lock.h"

namespace racier {
namespace {

constexpr LockClass kOuter{"outer", 0};
constexpr LockClass kInner{"inner", 1};

// Runs `op` over and over in the only task of a native run, with the lock checker on.
template <typename Op>
void alone(benchmark::State& state, Op op) {
  LockChecker checker;
  RunState run;
  run.lock_checker = &checker;
  NativeRuntime runtime;
  const auto body = [&] {
    for (auto _ : state) op();
  };
  const FunctionRef<void()> bodies[] = {body};
  runtime.run(run, bodies);
  if (run.finding()) state.SkipWithError(run.finding()->title.c_str());
}

void native_spin_lock(benchmark::State& state) {
  SpinLock lock(kOuter);
  alone(state, [&] {
    lock.lock();
    lock.unlock();
  });
}
BENCHMARK(native_spin_lock)->UseRealTime();

void native_spin_lock_inside_another(benchmark::State& state) {
  SpinLock outer(kOuter);
  SpinLock inner(kInner);
  alone(state, [&] {
    const SpinGuard a(outer);
    const SpinGuard b(inner);
  });
}
BENCHMARK(native_spin_lock_inside_another)->UseRealTime();

void native_bit_spin_lock(benchmark::State& state) {
  Atomic<std::uint64_t> word;
  alone(state, [&] {
    bit_spin_lock(word, 3, kOuter);
    bit_spin_unlock(word, 3, kOuter);
  });
}
BENCHMARK(native_bit_spin_lock)->UseRealTime();

void native_rw_semaphore_read(benchmark::State& state) {
  RwSemaphore lock(kOuter);
  alone(state, [&] { const ReadGuard guard(lock); });
}
BENCHMARK(native_rw_semaphore_read)->UseRealTime();

void native_rw_semaphore_write(benchmark::State& state) {
  RwSemaphore lock(kOuter);
  alone(state, [&] { const WriteGuard guard(lock); });
}
BENCHMARK(native_rw_semaphore_write)->UseRealTime();

void native_rcu_read_lock(benchmark::State& state) {
  Rcu rcu(RcuFlavour::kPreempt);
  alone(state, [&] { const RcuReadGuard guard(rcu); });
}
BENCHMARK(native_rcu_read_lock)->UseRealTime();

void native_ref_count(benchmark::State& state) {
  RefCount count(1);
  alone(state, [&] {
    count.inc();
    benchmark::DoNotOptimize(count.dec_and_test());
  });
}
BENCHMARK(native_ref_count)->UseRealTime();

void native_seq_count_read(benchmark::State& state) {
  SeqCount count;
  alone(state, [&] { benchmark::DoNotOptimize(count.read_retry(count.read_begin())); });
}
BENCHMARK(native_seq_count_read)->UseRealTime();

// Runs `tasks` fibers that take and let go of one of their locks 1000 times each; the
// rate is that of steps.
template <typename Op>
void on_fibers(benchmark::State& state, StrategyKind strategy, int tasks, Op op) {
  LockChecker checker;
  RunState run;
  run.lock_checker = &checker;
  FiberRuntime runtime(seeded(strategy, 1));
  const auto body = [&] {
    for (int i = 0; i < 1000; ++i) op();
  };
  const std::vector<FunctionRef<void()>> bodies(static_cast<std::size_t>(tasks), body);
  std::uint64_t steps = 0;
  for (auto _ : state) {
    checker.reset();
    runtime.run(run, bodies);
    steps += runtime.steps();
  }
  state.counters["steps"] =
      benchmark::Counter(static_cast<double>(steps), benchmark::Counter::kIsRate);
  if (run.finding()) state.SkipWithError(run.finding()->title.c_str());
}

void fiber_spin_lock(benchmark::State& state) {
  SpinLock lock(kOuter);
  on_fibers(state, static_cast<StrategyKind>(state.range(0)),
            static_cast<int>(state.range(1)), [&] { const SpinGuard guard(lock); });
}
BENCHMARK(fiber_spin_lock)
    ->ArgNames({"strategy", "tasks"})
    ->ArgsProduct({{0, 1, 2}, {1, 2, 4}});

void fiber_rw_semaphore_read(benchmark::State& state) {
  RwSemaphore lock(kOuter);
  on_fibers(state, StrategyKind::kRandomWalk, 4, [&] { const ReadGuard guard(lock); });
}
BENCHMARK(fiber_rw_semaphore_read);

void checker_reset(benchmark::State& state) {
  LockChecker checker;
  for (auto _ : state) checker.reset();
}
BENCHMARK(checker_reset);

}  // namespace
}  // namespace racier
