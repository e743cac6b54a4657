#include "core/runtime/feedback.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/runtime/run_alone.h"
#include "core/runtime/trace.h"
#include "core/sync/atomic.h"

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

// Words that no task writes again push nothing out, and what is behind the last word
// that is watched is left alone.
TEST(Feedback, WatchesTheFirstWordsWrittenAndNoOthers) {
  World world;
  std::vector<Atomic<int>> many(5000);
  const auto write_all = [&] {
    for (auto& word : many) word.store(1);
  };
  const auto pairs_of = [&](std::size_t index) {
    return world.run({}, write_all, [&] { many[index].load(); }).size();
  };
  EXPECT_EQ(pairs_of(0), 1u);
  EXPECT_EQ(pairs_of(4095), 1u);
  EXPECT_EQ(pairs_of(4096), 0u);
}

TEST(Feedback, SharesARunWithAnother) {
  World world;
  Trace trace;
  TwoObservers both(&trace, &world.feedback);
  TwoObservers only(nullptr, nullptr);
  for (StepObserver* const observer :
       {static_cast<StepObserver*>(&both), static_cast<StepObserver*>(&only)}) {
    FiberRuntime runtime;
    runtime.set_observer(observer);
    RunState run;
    const auto write = [&] { world.word.store(1); };
    const auto read = [&] { world.word.load(); };
    run_on(runtime, run, {write, read});
  }
  EXPECT_EQ(trace.entries().size(), 4u);
  EXPECT_EQ(std::count(world.counters.begin(), world.counters.end(), 1), 1);
}

}  // namespace
}  // namespace racier
