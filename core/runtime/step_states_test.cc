#include "core/runtime/step_states.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/runtime/run_alone.h"
#include "core/runtime/trace.h"
#include "core/sync/atomic.h"
#include "core/sync/spin_lock.h"

namespace racier {
namespace {

constexpr LockClass kClass{"a_lock", 1};

// Runs bodies by the fixed rule, but for `list`, and records both ways.
struct World {
  Trace trace;
  StepStates states;
  TwoObservers both{&trace, &states};

  std::vector<StepState> run(std::vector<Switch> list, Bodies bodies, RunState& run) {
    Schedule schedule;
    schedule.strategy = StrategyKind::kReplay;
    schedule.switches = std::move(list);
    FiberRuntime runtime(schedule);
    runtime.set_observer(&both);
    run_on(runtime, run, bodies);
    states.finish();
    for (int id = 0; id < runtime.tasks(); ++id) {
      if (!runtime.task(id).unwinding) states.finish(runtime.task(id));
    }
    const auto all = states.states();
    return {all.begin(), all.end()};
  }
  std::vector<StepState> run(std::vector<Switch> list, Bodies bodies) {
    RunState state;
    return run(std::move(list), bodies, state);
  }
};

TEST(StepStates, SeeAWordBeforeAndBehindAStep) {
  World world;
  Atomic<std::int32_t> word{5};
  const auto states = world.run({}, {[&] {
                                  word.fetch_add(2);
                                  word.load();
                                  word.store(-1);
                                }});
  ASSERT_EQ(states.size(), 4u);
  EXPECT_FALSE(states[0].has_before) << "a start";
  EXPECT_EQ(states[1].before, 5u);
  EXPECT_EQ(states[1].after, 7u);
  EXPECT_EQ(states[2].before, 7u);
  EXPECT_EQ(states[2].after, 7u);
  EXPECT_TRUE(states[3].has_after) << "the last one";
  EXPECT_EQ(states[3].after, 0xffff'ffffu);
}

TEST(StepStates, WhatIsBehindAStepIsNotWhatAnotherTaskStores) {
  World world;
  Atomic<int> word{0};
  const auto states =
      world.run({{.task = 0, .step = 2, .next = 1}}, {[&] {
                                                        word.store(1);
                                                        word.load();
                                                      },
                                                      [&] { word.store(2); }});
  EXPECT_EQ(states[1].after, 1u);
  EXPECT_EQ(states[3].before, 1u);
  EXPECT_EQ(states[3].after, 2u);
}

TEST(StepStates, ALockIsTakenAndLetGoOfByTheStepsOfIt) {
  World world;
  SpinLock lock{kClass};
  Atomic<int> word{0};
  world.run({}, {[&] {
              const SpinGuard guard(lock);
              word.store(1);
            }});
  const auto changes = world.states.changes();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].step, 1u);
  EXPECT_TRUE(changes[0].taken);
  EXPECT_EQ(changes[0].lock.lock, &lock);
  EXPECT_EQ(changes[1].step, 3u) << "the last step of the task";
  EXPECT_FALSE(changes[1].taken);
}

TEST(StepStates, AWaitSaysForWhat) {
  World world;
  SpinLock lock{kClass};
  Atomic<int> word{0};
  const auto states = world.run({{.task = 0, .step = 2, .next = 1}},
                                {[&] {
                                   const SpinGuard guard(lock);
                                   word.store(1);
                                 },
                                 [&] { const SpinGuard guard(lock); }});
  int waits = 0;
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i].wanted.lock == nullptr) continue;
    EXPECT_EQ(states[i].wanted.lock, &lock);
    EXPECT_EQ(world.trace.entries()[i].task, 1);
    ++waits;
  }
  EXPECT_EQ(waits, 1);
}

TEST(StepStates, SeesWhoLeftAWordDead) {
  World world;
  alignas(16) static Atomic<std::uint64_t> words[4];
  LiveMap live(words, sizeof words);
  live.set_alive(words, sizeof words);
  const auto uses = [&] {
    words[0].store(1);
    words[2].store(1);
  };
  const auto frees = [&] {
    words[0].store(2);
    live.set_dead(&words[2], 16);
    words[0].store(3);
  };
  const std::vector<Switch> list = {{.task = 0, .step = 2, .next = 1}};
  RunState run;
  run.live = &live;
  world.run(list, {uses, frees}, run);
  ASSERT_TRUE(run.finding());
  EXPECT_EQ(world.states.dead_word(), &words[2]);
  live.set_alive(words, sizeof words);
  world.states.watch(world.states.dead_word());
  RunState again;
  again.live = &live;
  const auto states = world.run(list, {uses, frees}, again);
  ASSERT_EQ(world.states.died_at(), 3);
  EXPECT_EQ(world.trace.entries()[3].task, 1);
  EXPECT_EQ(states[3].after, 2u);
}

TEST(StepStates, ReadsNoNames) {
  World world;
  alignas(16) static Atomic<std::uint64_t> words[4];
  LiveMap live(words, sizeof words);
  live.set_alive(words, sizeof words);
  world.states.set_memory_size(16);
  RunState run;
  run.live = &live;
  const auto states = world.run({}, {[&] {
                                  words[1].store(1);
                                  words[2].store(1);
                                }},
                                run);
  EXPECT_TRUE(states[1].has_before);
  EXPECT_FALSE(states[2].has_before);
  EXPECT_FALSE(states[2].has_after);
}

}  // namespace
}  // namespace racier
