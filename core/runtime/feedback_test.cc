#include "core/runtime/feedback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/runtime/run_alone.h"
#include "core/sync/atomic.h"
#include "core/sync/lock_checker.h"
#include "core/sync/spin_lock.h"

namespace racier {
namespace {

struct World {
  std::array<std::uint8_t, 1024> counters{};
  Feedback feedback{counters};
  Atomic<int> word{0};

  // Runs two tasks by the fixed rule, but for `list`; returns the counters that count.
  std::vector<std::size_t> run(std::vector<Switch> list, Body a, Body b) {
    counters.fill(0);
    Schedule schedule;
    schedule.strategy = StrategyKind::kReplay;
    schedule.switches = std::move(list);
    FiberRuntime runtime(schedule);
    runtime.set_observer(&feedback);
    RunState run;
    run_on(runtime, run, {a, b});
    std::vector<std::size_t> counted;
    for (std::size_t i = 0; i < counters.size(); ++i) {
      if (counters[i] != 0) counted.push_back(i);
    }
    return counted;
  }
};

TEST(Feedback, CountsAReadOfWhatAStepWrote) {
  World world;
  const auto write = [&] { world.word.store(1); };
  const auto read = [&] { world.word.load(); };
  const auto pairs = world.run({}, write, read);
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(world.counters[pairs[0]], 1);
  // The read comes first: it sees what was there before the run.
  EXPECT_TRUE(world.run({{.task = 0, .step = 1, .next = 1}}, write, read).empty());
  EXPECT_EQ(world.run({}, write, read), pairs) << "runs do not see each other's writes";
}

TEST(Feedback, TellsItsOwnWritesFromThoseOfOthers) {
  World world;
  const auto both = [&](bool read_too) {
    if (!read_too) world.word.store(1);
    if (read_too) world.word.load();
  };
  const auto nothing = [] {};
  const auto write = [&] { both(false); };
  const auto read = [&] { both(true); };
  const auto by_another = world.run({}, write, read);
  const auto by_itself = world.run(
      {},
      [&] {
        both(false);
        both(true);
      },
      nothing);
  ASSERT_EQ(by_another.size(), 1u);
  ASSERT_EQ(by_itself.size(), 1u);
  EXPECT_NE(by_another, by_itself);
}

TEST(Feedback, AReadModifyWriteIsBothAndCountersStopAt255) {
  World world;
  const auto add = [&] {
    for (int i = 0; i < 400; ++i) world.word.fetch_add(1);
  };
  const auto pairs = world.run({}, add, [] {});
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(world.counters[pairs[0]], 255);
}

TEST(Feedback, CountsLockOrdersAndMarksOfARun) {
  static constexpr LockClass kOuter{"outer", 50};
  static constexpr LockClass kInner{"inner", 51};
  World world;
  SpinLock outer(kOuter);
  SpinLock inner(kInner);
  LockChecker checker;
  const auto counted_after = [&](Body body) {
    checker.reset();
    RunState run;
    run.lock_checker = &checker;
    FiberRuntime runtime;
    run_on(runtime, run, {body});
    world.counters.fill(0);
    world.feedback.note_locks_and_marks(run);
    std::vector<std::uint8_t> counts;
    for (const std::uint8_t count : world.counters) {
      if (count != 0) counts.push_back(count);
    }
    return counts;
  };
  const auto one_lock = [&] { const SpinGuard a(outer); };
  const auto both_locks = [&] {
    const SpinGuard a(outer);
    const SpinGuard b(inner);
  };
  const auto marks = [] {
    for (int i = 0; i < 300; ++i) mark::hit(Mark::kSwapIn);
    mark::hit(Mark::kCowCopy);
  };
  EXPECT_THAT(counted_after(one_lock), testing::IsEmpty());
  EXPECT_THAT(counted_after(both_locks), testing::ElementsAre(1));
  EXPECT_THAT(counted_after(marks), testing::UnorderedElementsAre(255, 1));
}

}  // namespace
}  // namespace racier
