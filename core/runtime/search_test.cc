// core/runtime/search_test.cc - strategies over many executions of one program.
#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "core/runtime/exhaustive.h"
#include "core/runtime/portfolio.h"
#include "core/runtime/run_alone.h"
#include "core/runtime/shapes.h"
#include "core/runtime/toys_test.h"
#include "core/runtime/trace.h"

namespace racier {
namespace {

constexpr StrategyKind kSeeded[] = {
    StrategyKind::kRandomWalk, StrategyKind::kPos,       StrategyKind::kPct,
    StrategyKind::kSurw,       StrategyKind::kReadsFrom, StrategyKind::kStarvation,
    StrategyKind::kPortfolio};

// Runs a search of `executions` on `shape`; returns a hash of all their steps.
std::uint64_t hash_of_search(const Schedule& schedule, const char* shape,
                             int executions) {
  FiberRuntime runtime(schedule);
  Trace trace;
  runtime.set_observer(&trace);
  RunState run;
  std::uint64_t hash = 0;
  for (int i = 0; i < executions; ++i) {
    run_shape(*find_shape(shape), runtime, run, Mend::kDone);
    hash = Random::mixed(hash + trace.hash());
    runtime.strategy().next_execution();
  }
  return hash;
}

class Search : public testing::TestWithParam<StrategyKind> {};

TEST_P(Search, IsAFunctionOfItsSeed) {
  for (const char* const shape : {"ref_resurrect", "twostage_10", "nz_migr"}) {
    const Schedule one = seeded(GetParam(), 1);
    const std::uint64_t hash = hash_of_search(one, shape, 60);
    EXPECT_EQ(hash_of_search(one, shape, 60), hash) << shape;
    EXPECT_NE(hash_of_search(seeded(GetParam(), 2), shape, 60), hash) << shape;
  }
}

TEST_P(Search, ARunThatIsRepeatedIsTheSame) {
  FiberRuntime runtime(seeded(GetParam(), 3));
  Trace trace;
  runtime.set_observer(&trace);
  RunState run;
  for (int i = 0; i < 60; ++i) {
    const Shape& shape = *find_shape("nz_resurrect");
    run_shape(shape, runtime, run, Mend::kDone);
    const std::uint64_t hash = trace.hash();
    run_shape(shape, runtime, run, Mend::kDone);
    ASSERT_EQ(trace.hash(), hash) << "execution " << i;
    ASSERT_TRUE(runtime.strategy().next_execution());
  }
}

// Tasks that look again and again without waiting must let the others run.
TEST_P(Search, PollingEnds) {
  FiberRuntime runtime(seeded(GetParam(), 4), 1 << 17);
  for (int i = 0; i < 40; ++i) {
    Atomic<int> turn{0};
    const auto body = [&] {
      while (turn.load() != current()->id) {
      }
      turn.fetch_add(1);
    };
    RunState run;
    run_on(runtime, run, {body, body, body, body});
    ASSERT_EQ(run.finding(), std::nullopt) << "execution " << i;
    runtime.strategy().next_execution();
  }
}

TEST_P(Search, AFindingReplaysWithoutTheHistory) {
  int replays = 0;
  for (const char* const name : {"abba", "skew_uaf", "window_d1"}) {
    const Shape& shape = *find_shape(name);
    FiberRuntime runtime(seeded(GetParam(), 5), 1 << 16);
    RunState run;
    for (int i = 0; i < 500 && !run.over(); ++i) {
      run_shape(shape, runtime, run, Mend::kNot);
      runtime.strategy().next_execution();
    }
    if (!run.over()) continue;
    ++replays;
    FiberRuntime again(runtime.recorded());
    RunState rerun;
    run_shape(shape, again, rerun, Mend::kNot);
    ASSERT_TRUE(rerun.over()) << name;
    EXPECT_EQ(rerun.finding()->signature(), run.finding()->signature());
    EXPECT_EQ(rerun.finding()->step, run.finding()->step);
  }
  // Random walks do not find what is skew.
  EXPECT_EQ(replays, GetParam() == StrategyKind::kRandomWalk ? 2 : 3);
}

INSTANTIATE_TEST_SUITE_P(Seeded, Search, testing::ValuesIn(kSeeded),
                         [](const auto& info) { return strategy_name(info.param); });

// ---- What each is for
// ------------------------------------------------------------------

// How often each order of two tasks' three accesses to one word came, while each makes
// `work` steps on its own before them.
std::map<std::string, int> orders_of_accesses(const Schedule& schedule, int work,
                                              int executions) {
  FiberRuntime runtime(schedule);
  std::map<std::string, int> orders;
  for (int i = 0; i < executions; ++i) {
    Atomic<int> own[2], word{0};
    toys::Notes order;
    const auto body = [&] {
      const int task = current()->id;
      for (int n = 0; n < work * task; ++n) own[task].fetch_add(1);
      for (int n = 0; n < 3; ++n) {
        word.fetch_add(1);
        order.add(task == 0 ? "A" : "B");
      }
    };
    RunState run;
    run_on(runtime, run, {body, body});
    ++orders[order.str()];
    runtime.strategy().next_execution();
  }
  return orders;
}

TEST(Surw, TakesEachOrderOfTheObjectAsOften) {
  // 20 orders, and the work of one task does not matter.
  const auto orders = orders_of_accesses(seeded(StrategyKind::kSurw, 1), 50, 4000);
  EXPECT_EQ(orders.size(), 20u);
  for (const auto& [order, count] : orders) EXPECT_NEAR(count, 200, 60) << order;
}

TEST(Surw, WhatARandomWalkDoesNot) {
  const auto orders =
      orders_of_accesses(seeded(StrategyKind::kRandomWalk, 1), 50, 4000);
  EXPECT_LT(orders.size(), 10u);
}

// In how many of 1000 executions does the reader see each value of a word that another
// task sets to 1, 2, 3?
std::map<int, int> values_read(const Schedule& schedule, int work) {
  FiberRuntime runtime(schedule);
  std::map<int, int> values;
  for (int i = 0; i < 1000; ++i) {
    Atomic<int> word{0}, own{0};
    const auto writer = [&] {
      for (int n = 0; n < work; ++n) own.fetch_add(1);
      word.store(1);
      word.store(2);
      word.store(3);
    };
    int value = -1;
    const auto reader = [&] { value = word.load(); };
    RunState run;
    run_on(runtime, run, {writer, reader});
    ++values[value];
    runtime.strategy().next_execution();
  }
  return values;
}

TEST(ReadsFrom, MakesReadsSeeEveryWrite) {
  const auto values = values_read(seeded(StrategyKind::kReadsFrom, 1), 100);
  for (int value = 0; value <= 3; ++value) EXPECT_GT(values.at(value), 150) << value;
}

TEST(Pct, HasFewSwitches) {
  for (const int depth : {1, 2, 4}) {
    Schedule schedule = seeded(StrategyKind::kPct, 7);
    schedule.depth = static_cast<std::uint8_t>(depth);
    FiberRuntime runtime(schedule);
    std::size_t most = 0;
    for (int i = 0; i < 300; ++i) {
      Atomic<int> word{0};
      const auto body = [&] {
        for (int n = 0; n < 30; ++n) word.fetch_add(1);
      };
      RunState run;
      run_on(runtime, run, {body, body});
      // The first task, and whoever goes on when one ends, is no change of priority.
      std::size_t changes = 0;
      for (const Switch& change : runtime.recorded().switches) {
        changes += change.step > 0 && change.step < 31;
      }
      most = std::max(most, changes);
      runtime.strategy().next_execution();
    }
    EXPECT_EQ(most, static_cast<std::size_t>(depth - 1)) << "depth " << depth;
  }
}

TEST(Starvation, HoldsATaskBackForShortAndLong) {
  FiberRuntime runtime(seeded(StrategyKind::kStarvation, 1));
  std::atomic<int> shorter{0}, longer{0};  // stretches in which one task ran
  for (int i = 0; i < 200; ++i) {
    std::atomic<int> last{-1}, stretch{0};
    Atomic<int> word{0};
    const auto body = [&] {
      for (int n = 0; n < 200; ++n) {
        word.fetch_add(1);
        if (current()->id == last) {
          ++stretch;
          continue;
        }
        shorter += stretch > 0 && stretch < 8;
        longer += stretch >= 100;
        last = current()->id;
        stretch = 1;
      }
    };
    RunState run;
    run_on(runtime, run, {body, body, body});
    runtime.strategy().next_execution();
  }
  EXPECT_GT(shorter, 200);
  EXPECT_GT(longer, 200);
}

TEST(Portfolio, TakesTurnsByItsShares) {
  Portfolio portfolio(seeded(StrategyKind::kPortfolio, 1));
  std::map<StrategyKind, int> turns;
  for (int i = 0; i < 40; ++i) {
    ++turns[portfolio.kind()];
    portfolio.begin_run(2);
    EXPECT_TRUE(portfolio.next_execution());
  }
  const std::map<StrategyKind, int> expected = {
      {StrategyKind::kSurw, 12},      {StrategyKind::kReadsFrom, 10},
      {StrategyKind::kPos, 8},        {StrategyKind::kPct, 6},
      {StrategyKind::kRandomWalk, 2}, {StrategyKind::kStarvation, 2}};
  EXPECT_EQ(turns, expected);
}

// ---- A defect of racier itself
// ---------------------------------------------------------

TEST(Replay, APlantedNondeterminismShowsInTheTrace) {
  // Something that no schedule has: what an earlier run left behind.
  int runs = 0;
  Trace trace;
  FiberRuntime runtime(seeded(StrategyKind::kPortfolio, 1));
  runtime.set_observer(&trace);
  const auto run_once = [&] {
    Atomic<int> word{0}, other{0};
    const auto body = [&] { (runs % 2 == 0 ? word : other).store(1); };
    const auto reader = [&] {
      word.load();
      other.load();
    };
    RunState run;
    run_on(runtime, run, {body, reader});
    ++runs;
    return trace.hash();
  };
  const std::uint64_t first = run_once();
  runtime.set_schedule(runtime.recorded());
  EXPECT_NE(run_once(), first);
  EXPECT_EQ(run_once(), first);
}

// A task that does something first in every other run, which no schedule has.
TEST(Exhaustive, APlantedNondeterminismIsReported) {
  int runs = 0;
  FiberRuntime runtime(seeded(StrategyKind::kExhaustive, 1));
  bool more = true;
  while (more && runs < 100) {
    Atomic<int> word{0}, other{0};
    const auto writer = [&] {
      if (runs % 2 != 0) other.store(1);
      word.store(1);
    };
    const auto reader = [&] {
      word.load();
      other.load();
    };
    RunState run;
    run_on(runtime, run, {writer, reader});
    ++runs;
    more = runtime.strategy().next_execution();
  }
  EXPECT_FALSE(more);
  EXPECT_TRUE(runtime.strategy().diverged());
  EXPECT_EQ(runtime.strategy().tried(), Strategy::Tried::kSome);
}

TEST(Replay, CountsTheEntriesThatDidNotApply) {
  Schedule schedule;
  schedule.strategy = StrategyKind::kReplay;
  schedule.switches = {{.task = 0, .step = 1, .next = 1},     // applies
                       {.task = 0, .step = 5000, .next = 1},  // never comes
                       {.task = 1, .step = 1, .next = 9}};    // nobody
  schedule.choices = {{.task = 0, .index = 7, .value = 1}};   // never asked for
  FiberRuntime runtime(schedule);
  Atomic<int> word{0};
  const auto body = [&] { word.fetch_add(1); };
  RunState run;
  run_on(runtime, run, {body, body});
  EXPECT_EQ(runtime.strategy().missed(), 3u);
  runtime.set_schedule(runtime.recorded());
  run_on(runtime, run, {body, body});
  EXPECT_EQ(runtime.strategy().missed(), 0u);
}

}  // namespace
}  // namespace racier
