// core/runtime/replay_test.cc - one schedule, one run: on every host, in every build.
#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/runtime/run_alone.h"
#include "core/runtime/toys_test.h"
#include "core/runtime/trace.h"

namespace racier {
namespace {

using toys::ToyGuard;
using toys::ToyLock;
using toys::ToyMutex;
using toys::ToyMutexGuard;

constexpr int kOps = 30;

// Tasks that do what a seed says to some words and locks; all state is made anew.
struct RandomProgram {
  Atomic<int> words[4];
  ToyLock lock;
  ToyMutex mutex;

  // One line for all steps: a trace hash must not depend on the lines of this file.
  static constexpr std::source_location kHere{};

  void body(std::uint64_t seed) {
    Random random(
        Random::mixed(seed * kTasksMax + static_cast<std::uint64_t>(current()->id)));
    for (int i = 0; i < kOps; ++i) op(random);
  }

  void op(Random& random) {
    constexpr auto kOrder = std::memory_order_acq_rel;
    Atomic<int>& word = words[random.below(4)];
    int value = static_cast<int>(random.below(3));
    switch (random.below(8)) {
      case 0:
        word.store(value, std::memory_order_release, kHere);
        break;
      case 1:
        word.fetch_add(value, kOrder, kHere);
        break;
      case 2:
        word.compare_exchange(value, 1, kOrder, kHere);
        break;
      case 3:
        word.store(static_cast<int>(choose(5)), std::memory_order_release, kHere);
        break;
      case 4:
        lock.lock(kHere);
        lock.unlock(kHere);
        break;
      case 5:
        mutex.lock(kHere);
        mutex.unlock(kHere);
        break;
      // What was read decides what is done: a wrong replay shows.
      default:
        if (word.load(std::memory_order_acquire, kHere) == 1) op(random);
    }
  }
};

struct Outcome {
  std::uint64_t hash;
  Schedule recorded;
  std::optional<Finding> finding;
};

Outcome run_program(const Schedule& schedule, std::uint64_t seed) {
  RandomProgram program;
  FiberRuntime runtime(schedule);
  Trace trace;
  runtime.set_observer(&trace);
  RunState run;
  const auto body = [&] { program.body(seed); };
  const Body bodies[] = {body, body, body};
  runtime.run(run, bodies);
  return {trace.hash(), runtime.recorded(), run.finding()};
}

class ReplayTest : public testing::TestWithParam<StrategyKind> {};

TEST_P(ReplayTest, ARecordingGivesTheSameStepsAgain) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Outcome first = run_program(seeded(GetParam(), seed), seed);
    const Outcome again = run_program(first.recorded, seed);
    ASSERT_EQ(first.finding, std::nullopt) << first.finding->detail;
    ASSERT_EQ(first.hash, again.hash) << "seed " << seed;
    ASSERT_EQ(first.recorded, again.recorded) << "seed " << seed;
  }
}

// Also those that come of what the search has learned: no history is needed.
TEST_P(ReplayTest, EveryExecutionOfASearchReplays) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    FiberRuntime runtime(seeded(GetParam(), seed));
    Trace trace;
    runtime.set_observer(&trace);
    for (int i = 0; i < 50; ++i) {
      RandomProgram program;
      RunState run;
      const auto body = [&] { program.body(seed); };
      const Body bodies[] = {body, body, body};
      runtime.run(run, bodies);
      const std::uint64_t hash = trace.hash();
      ASSERT_EQ(hash, run_program(runtime.recorded(), seed).hash)
          << "seed " << seed << ", execution " << i;
      if (!runtime.strategy().next_execution()) break;
    }
  }
}

TEST_P(ReplayTest, ASeedGivesTheSameStepsAgain) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Schedule schedule = seeded(GetParam(), seed);
    ASSERT_EQ(run_program(schedule, seed).hash, run_program(schedule, seed).hash);
  }
}

TEST_P(ReplayTest, OverridesAreRecordedToo) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Schedule schedule = seeded(GetParam(), seed);
    schedule.overrides = {{.delta = 7, .target = 1}, {.delta = 3, .target = 2}};
    const Outcome first = run_program(schedule, seed);
    ASSERT_EQ(first.hash, run_program(first.recorded, seed).hash) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Strategies, ReplayTest,
                         testing::Values(StrategyKind::kRunToBlock,
                                         StrategyKind::kRandomWalk, StrategyKind::kPos,
                                         StrategyKind::kPct, StrategyKind::kSurw,
                                         StrategyKind::kReadsFrom,
                                         StrategyKind::kStarvation,
                                         StrategyKind::kExhaustive,
                                         StrategyKind::kPortfolio),
                         [](const auto& info) { return strategy_name(info.param); });

TEST(Replay, EveryBuildMakesTheSameSteps) {
  std::uint64_t hash = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    hash = Random::mixed(hash + run_program(random_walk_seed(seed), seed).hash);
    hash = Random::mixed(hash + run_program(pos_seed(seed), seed).hash);
  }
  EXPECT_EQ(hash, 15017302635902474877u);  // the same in release, asan and tsan
}

// On which line, and at which address, does not matter; what is done to which word
// does.
TEST(Replay, AnOutlineSurvivesWhatOnlyMovesThings) {
  Atomic<int> a{0}, b{0};
  struct Hashes {
    std::uint64_t outline, exact;
  };
  const auto run = [](FunctionRef<void()> body) {
    FiberRuntime runtime;
    Trace trace;
    runtime.set_observer(&trace);
    RunState run;
    runtime.run(run, {&body, 1});
    return Hashes{trace.outline(), trace.hash()};
  };
  const Hashes first = run([&] { a.load(), b.store(1); });
  const Hashes lower = run([&] { a.load(), b.store(1); });
  EXPECT_EQ(first.outline, lower.outline);
  EXPECT_NE(first.exact, lower.exact);
  EXPECT_EQ(first.outline, run([&] { b.load(), a.store(1); }).outline);
  EXPECT_NE(first.outline, run([&] { a.load(), a.store(1); }).outline) << "one word";
  EXPECT_NE(first.outline, run([&] { a.load(), b.load(); }).outline);
  const auto elsewhere = [](Atomic<int>& word) { word.store(1); };
  struct Other {
    static void writes(Atomic<int>& word) { word.store(1); }
  };
  EXPECT_EQ(first.outline, run([&] { a.load(), elsewhere(b); }).outline) << "one name";
  EXPECT_NE(first.outline, run([&] { a.load(), Other::writes(b); }).outline);
}

TEST(Replay, SchedulesDoDiffer) {
  EXPECT_NE(run_program(random_walk_seed(1), 1).hash,
            run_program(random_walk_seed(2), 1).hash);
}

TEST(Replay, AFailureReplays) {
  int failures = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto attempt = [](const Schedule& schedule, Schedule* recorded) {
      Atomic<int> word{0};
      FiberRuntime runtime(schedule);
      RunState run;
      const auto body = [&] { word.store(word.load() + 1); };
      const auto check = [&] {
        body();
        if (word.load() == 1) report(FindingKind::kCount, "lost update");
      };
      const Body bodies[] = {body, check};
      runtime.run(run, bodies);
      if (recorded != nullptr) *recorded = runtime.recorded();
      return run.finding();
    };
    Schedule recorded;
    const auto finding = attempt(pos_seed(seed), &recorded);
    if (!finding) continue;
    ++failures;
    const auto again = attempt(recorded, nullptr);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->step, finding->step);
  }
  EXPECT_GT(failures, 5);
}

}  // namespace
}  // namespace racier
