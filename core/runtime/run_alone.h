// core/runtime/run_alone.h - one run, for tests: what has it found?
//
//   EXPECT_EQ(run_alone([] { ... }), std::nullopt);
//   auto finding = run_tasks(pos_seed(7), {[&] { ... }, [&] { ... }});
//   auto finding = run_threads({[&] { ... }, [&] { ... }});
//
// Bodies are called once each.  A second form of each takes the RunState of the caller,
// with its armed bugs, live map and lock checker.
#pragma once
#include <initializer_list>
#include <optional>

#include "core/runtime/fiber_runtime.h"
#include "core/runtime/native_runtime.h"

namespace racier {

using Body = FunctionRef<void()>;
using Bodies = std::initializer_list<Body>;

inline Schedule seeded(StrategyKind strategy, std::uint64_t seed) {
  Schedule schedule;
  schedule.strategy = strategy;
  schedule.seed = seed;
  return schedule;
}
inline Schedule random_walk_seed(std::uint64_t seed) {
  return seeded(StrategyKind::kRandomWalk, seed);
}
inline Schedule pos_seed(std::uint64_t seed) {
  return seeded(StrategyKind::kPos, seed);
}

// Runs `bodies` as tasks of `runtime`.  (A Body does not own its callable: an array of
// them may refer to named ones only, an argument to any.)
inline void run_on(Runtime& runtime, RunState& run, Bodies bodies) {
  runtime.run(run, bodies);
}

// Runs `bodies` as tasks on fibers under `schedule`; returns the finding, if any.
inline std::optional<Finding> run_tasks(RunState& run, const Schedule& schedule,
                                        Bodies bodies) {
  FiberRuntime(schedule).run(run, bodies);
  return run.finding();
}
inline std::optional<Finding> run_tasks(const Schedule& schedule, Bodies bodies) {
  RunState run;
  return run_tasks(run, schedule, bodies);
}

// Runs `body` as the only task of a run on fibers.
inline std::optional<Finding> run_alone(RunState& run, Body body) {
  return run_tasks(run, {}, {body});
}
inline std::optional<Finding> run_alone(Body body) {
  RunState run;
  return run_alone(run, body);
}

// Runs `bodies` on native threads, with jitter; `seed` is for choices and jitter.
inline std::optional<Finding> run_threads(RunState& run, Bodies bodies,
                                          std::uint64_t seed = 1) {
  NativeRuntime runtime(seed);
  runtime.set_jitter(64);
  runtime.run(run, bodies);
  return run.finding();
}
inline std::optional<Finding> run_threads(Bodies bodies, std::uint64_t seed = 1) {
  RunState run;
  return run_threads(run, bodies, seed);
}

}  // namespace racier
