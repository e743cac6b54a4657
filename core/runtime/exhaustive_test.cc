// core/runtime/exhaustive_test.cc - counted against formulas and against plain
// enumeration.
#include "core/runtime/exhaustive.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <map>
#include <set>

#include "core/base/random.h"
#include "core/runtime/run_alone.h"
#include "core/runtime/toys_test.h"

namespace racier {
namespace {

using Reduction = Exhaustive::Reduction;
using toys::ToyGuard;
using toys::ToyLock;
using toys::ToyMutex;
using toys::ToyMutexGuard;

// ---- Straight-line programs
// ------------------------------------------------------------

struct Op {
  int word;
  bool writes;
  bool more = false;  // behind the step, writes to kHidden without another
};
constexpr int kHidden = 3;
using Ops = std::vector<Op>;
using Tasks = std::vector<Ops>;

// What happened to each word: its writers in order, and between them the readers as a
// set. Two orders of steps differ in a conflict if and only if these differ.
class History {
 public:
  void add(int task, const Op& op) {
    auto& epochs = words_[op.word];
    if (epochs.empty()) epochs.push_back({});
    if (op.writes) {
      epochs.push_back({{-1, task}});
    } else {
      ++epochs.back()[task];
    }
  }
  bool operator<(const History& other) const { return words_ < other.words_; }
  bool operator==(const History&) const = default;

 private:
  std::map<int, std::vector<std::map<int, int>>> words_;
};
using Histories = std::set<History>;

// Follows every order with at most `bound` preemptions; no reduction.  A task starts
// with a step of its own, as it does in a run.
class Enumeration {
 public:
  Enumeration(const Tasks& tasks, int bound) : tasks_(tasks), bound_(bound) {
    extend(std::vector<std::size_t>(tasks.size(), 0), -1, 0, {});
  }
  const Histories& histories() const { return histories_; }

 private:
  void extend(const std::vector<std::size_t>& made, int running, int preemptions,
              const History& history) {
    const auto can_run = [&](std::size_t task) {
      return made[task] <= tasks_[task].size();
    };
    const bool goes_on = running >= 0 && can_run(static_cast<std::size_t>(running));
    bool any = false;
    for (std::size_t task = 0; task < tasks_.size(); ++task) {
      if (!can_run(task)) continue;
      any = true;
      const int id = static_cast<int>(task);
      const int after = preemptions + (goes_on && id != running);
      if (after > bound_) continue;
      auto then = made;
      History longer = history;
      if (made[task] > 0) longer.add(id, tasks_[task][made[task] - 1]);
      ++then[task];
      extend(then, id, after, longer);
    }
    if (!any) histories_.insert(history);
  }

  const Tasks& tasks_;
  int bound_;
  Histories histories_;
};

// The ops of a run in order; taking a note is neither a step nor a race.
class OpLog {
 public:
  void add(int task, const Op& op) {
    const int note = 4 * (2 * task + op.writes) + op.word;
    notes_[size_.fetch_add(1, std::memory_order_relaxed)].store(
        note, std::memory_order_relaxed);
  }
  History history() const {
    History history;
    for (std::size_t i = 0; i < size_; ++i) {
      const int note = notes_[i];
      history.add(note / 8, {note % 4, note / 4 % 2 == 1});
    }
    return history;
  }

 private:
  std::array<std::atomic<int>, 32> notes_{};
  std::atomic<std::size_t> size_{0};
};

struct Searched {
  Histories histories;
  std::uint64_t executions = 0;  // with the last bound
  bool exhausted = false;
};

// Runs `tasks` under an exhaustive search.
Searched search(const Tasks& tasks, int most,
                Reduction reduction = Reduction::kSleepSets) {
  auto owned = std::make_unique<Exhaustive>(most, reduction);
  Exhaustive& strategy = *owned;
  FiberRuntime runtime;
  runtime.set_strategy(std::move(owned));
  Searched all;
  do {
    Atomic<int> words[4];
    OpLog log;
    RunState run;
    const auto body = [&] {
      const int task = current()->id;
      for (const Op& op : tasks[static_cast<std::size_t>(task)]) {
        if (op.writes) {
          words[op.word].store(1);
        } else {
          words[op.word].load();
        }
        log.add(task, op);
        if (!op.more) continue;
        log.add(task, {kHidden, true});
        note_side_effects();
      }
    };
    runtime.run(run, std::vector<Body>(tasks.size(), body));
    all.histories.insert(log.history());
    all.executions = strategy.executions() + 1;
  } while (strategy.next_execution());
  all.executions = strategy.executions();
  all.exhausted = strategy.exhausted();
  return all;
}

Tasks alike(std::size_t tasks, const Ops& ops) { return Tasks(tasks, ops); }
Ops writes_to(int word, std::size_t count) { return Ops(count, {word, true}); }

TEST(Exhaustive, CountsTheOrdersOfOneWord) {
  // (n m)! / (m!)^n for n tasks of m writes.
  EXPECT_EQ(search(alike(2, writes_to(0, 3)), 0).executions, 20u);
  EXPECT_EQ(search(alike(2, writes_to(0, 5)), 0).executions, 252u);
  EXPECT_EQ(search(alike(3, writes_to(0, 2)), 0).executions, 90u);
  EXPECT_EQ(search(alike(3, writes_to(0, 3)), 0).executions, 1680u);
}

TEST(Exhaustive, WhatSharesNothingHasOneOrder) {
  const Tasks tasks = {writes_to(0, 4), writes_to(1, 4), writes_to(2, 4)};
  const Searched all = search(tasks, 0);
  EXPECT_LE(all.executions, 6u);  // whole tasks in any order: no preemption matters
  EXPECT_TRUE(all.exhausted);
}

TEST(Exhaustive, ReadsCommute) {
  EXPECT_LE(search(alike(3, Ops(4, {0, false})), 0).executions, 6u);
}

TEST(Exhaustive, MessagePassingHasThreeOrders) {
  // Of two conflicts one combination is a cycle.
  const Tasks tasks = {{{0, true}, {1, true}}, {{1, false}, {0, false}}};
  EXPECT_EQ(search(tasks, 0).histories.size(), 3u);
}

Tasks random_tasks(std::uint64_t seed) {
  Random random(seed);
  Tasks tasks(2 + random.below(2));
  for (Ops& ops : tasks) {
    for (auto rest = 1 + random.below(3); rest > 0; --rest) {
      ops.push_back({static_cast<int>(random.below(2)), random.below(3) != 0});
    }
  }
  return tasks;
}

TEST(Exhaustive, ReductionLosesNothing) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Tasks tasks = random_tasks(seed);
    const Searched all = search(tasks, 0);
    EXPECT_TRUE(all.exhausted);
    EXPECT_EQ(all.histories, Enumeration(tasks, 99).histories()) << "seed " << seed;
    EXPECT_EQ(search(tasks, 0, Reduction::kMeetings).histories, all.histories);
  }
}

TEST(Exhaustive, ReductionLosesNothingWithinABound) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Tasks tasks = random_tasks(seed);
    for (const int bound : {1, 2, 3}) {
      const Histories each = Enumeration(tasks, bound).histories();
      for (const Reduction reduction : {Reduction::kSleepSets, Reduction::kMeetings}) {
        EXPECT_EQ(search(tasks, bound, reduction).histories, each)
            << "seed " << seed << ", at most " << bound;
      }
    }
  }
}

TEST(Exhaustive, ReductionLosesNoSideEffect) {
  std::uint64_t reduced = 0, plain = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Tasks tasks = random_tasks(seed);
    Random random(seed);
    for (Ops& ops : tasks) {
      for (Op& op : ops) op.more = random.below(3) == 0;
    }
    for (const int bound : {0, 1, 2}) {
      const Searched all = search(tasks, bound);
      const Searched each = search(tasks, bound, Reduction::kNone);
      EXPECT_EQ(all.histories, each.histories) << "seed " << seed << ", " << bound;
      EXPECT_EQ(search(tasks, bound, Reduction::kMeetings).histories, each.histories)
          << "seed " << seed << ", " << bound;
      if (bound != 0) continue;
      reduced += all.executions;
      plain += each.executions;
    }
  }
  EXPECT_LT(2 * reduced, plain);
}

TEST(Exhaustive, ReductionIsWorthIt) {
  // 34650 orders in all, each run once.
  const Searched all = search(alike(3, writes_to(0, 4)), 0);
  EXPECT_EQ(all.executions, 34650u);
  EXPECT_EQ(all.histories.size(), 34650u);
}

// ---- Bugs, waits, choices
// --------------------------------------------------------------

// Runs `bodies` until there is a finding; returns the bound that it took, or nothing.
template <typename Bodies>
std::optional<int> bound_of_finding(int most, const Bodies& make_bodies) {
  auto owned = std::make_unique<Exhaustive>(most);
  Exhaustive& strategy = *owned;
  FiberRuntime runtime;
  runtime.set_strategy(std::move(owned));
  do {
    if (make_bodies(runtime)) return strategy.bound();
  } while (strategy.next_execution());
  return std::nullopt;
}

// Needs a preemption of the writer between its writes, and one of the reader.
bool sees_one_then_two(FiberRuntime& runtime) {
  Atomic<int> word{0};
  const auto writer = [&] {
    word.store(1);
    word.store(2);
  };
  const auto reader = [&] {
    const int first = word.load();
    if (first == 1 && word.load() == 2) report(FindingKind::kData, "one, then two");
  };
  RunState run;
  const Body bodies[] = {writer, reader};
  runtime.run(run, bodies);
  return run.over();
}

bool loses_an_update(FiberRuntime& runtime) {
  Atomic<int> word{0};
  std::atomic<int> left{2};
  const auto body = [&] {
    word.store(word.load() + 1);
    if (--left == 0 && word.raw() != 2) report(FindingKind::kCount, "lost");
  };
  RunState run;
  const Body bodies[] = {body, body};
  runtime.run(run, bodies);
  return run.over();
}

TEST(Exhaustive, FindsABugIfTheBoundSuffices) {
  EXPECT_EQ(bound_of_finding(0, loses_an_update), 1);
  EXPECT_EQ(bound_of_finding(1, loses_an_update), 1);
  EXPECT_EQ(bound_of_finding(0, sees_one_then_two), 2);
  EXPECT_EQ(bound_of_finding(2, sees_one_then_two), 2);
}

TEST(Exhaustive, FindsNoBugBeyondTheBound) {
  EXPECT_EQ(bound_of_finding(1, sees_one_then_two), std::nullopt);
}

// Whoever drops the last reference frees the object; the second task looks at another
// word of it after a drop that was not the last.  Soon the memory is another object's.
struct alignas(LiveMap::kGranule) Counted {
  Atomic<int> references{2};
  Atomic<int> word{0};

  // Returns whether it was the last.
  bool drop(LiveMap& live) {
    if (references.fetch_sub(1) != 1) return false;
    note_side_effects();
    live.set_dead(this, sizeof *this);
    return true;
  }
  void reuse(LiveMap& live) {
    note_side_effects();
    live.set_alive(this, sizeof *this);
  }
};

struct Uses {
  std::uint64_t good = 0;
  std::uint64_t bad = 0;  // of what was freed
  bool exhausted = false;
};

Uses uses_behind_a_drop(Reduction reduction) {
  auto owned = std::make_unique<Exhaustive>(0, reduction);
  Exhaustive& strategy = *owned;
  FiberRuntime runtime;
  runtime.set_strategy(std::move(owned));
  Uses uses;
  do {
    Counted object;
    LiveMap live(&object, sizeof object);
    live.set_alive(&object, sizeof object);
    Atomic<int> other{0};
    RunState run;
    run.live = &live;
    run_on(runtime, run,
           {[&] {
              if (!object.drop(live)) return;
              other.load();
              object.reuse(live);
            },
            [&] {
              if (!object.drop(live)) object.word.load();
            }});
    ++(run.over() ? uses.bad : uses.good);
  } while (strategy.next_execution());
  uses.exhausted = strategy.exhausted();
  return uses;
}

TEST(Exhaustive, AFreeCommutesWithNothing) {
  const Uses plain = uses_behind_a_drop(Reduction::kNone);
  const Uses reduced = uses_behind_a_drop(Reduction::kSleepSets);
  EXPECT_GT(uses_behind_a_drop(Reduction::kMeetings).bad, 0u);
  EXPECT_GT(plain.bad, 0u);
  EXPECT_GT(reduced.bad, 0u);
  EXPECT_TRUE(plain.exhausted && reduced.exhausted);
  EXPECT_LT(reduced.good + reduced.bad, plain.good + plain.bad);
}

// ---- Meetings
// -------------------------------------------------------------------------

// Of a task's own words, between two that it shares.
TEST(Exhaustive, StepsOnOwnWordsCostNoExecutions) {
  const auto tasks_with = [](std::size_t own) {
    Tasks tasks;
    for (const int word : {1, 2}) {
      Ops ops = {{0, true}};
      ops.insert(ops.end(), own, {word, true});
      ops.push_back({0, true});
      tasks.push_back(ops);
    }
    return tasks;
  };
  for (const int bound : {1, 2}) {
    const Searched few = search(tasks_with(2), bound, Reduction::kMeetings);
    const Searched many = search(tasks_with(8), bound, Reduction::kMeetings);
    EXPECT_EQ(few.executions, many.executions) << bound;
    EXPECT_EQ(many.histories.size(),
              search(tasks_with(8), bound, Reduction::kNone).histories.size());
    EXPECT_GT(search(tasks_with(8), bound, Reduction::kNone).executions,
              many.executions)
        << bound;
  }
}

// A word that is only touched behind a preemption is seen to be shared too late for the
// first search with that bound.
TEST(Exhaustive, TriesAgainWhenAWordComesToBeShared) {
  const auto most_seen = [](Reduction reduction) {
    auto owned = std::make_unique<Exhaustive>(2, reduction);
    FiberRuntime runtime;
    Exhaustive& strategy = *owned;
    runtime.set_strategy(std::move(owned));
    std::set<int> seen;
    do {
      Atomic<int> flag{0}, late{0}, own{0};
      const auto writer = [&] {
        flag.store(1);
        for (int i = 0; i < 3; ++i) own.store(i);
        for (int i = 1; i < 4; ++i) late.store(i);
        for (int i = 0; i < 3; ++i) own.store(i);
        flag.store(2);
      };
      const auto reader = [&] {
        if (flag.load() == 1) seen.insert(late.load());
      };
      RunState run;
      run_on(runtime, run, {writer, reader});
    } while (strategy.next_execution());
    return seen;
  };
  const std::set<int> all = {0, 1, 2, 3};
  EXPECT_EQ(most_seen(Reduction::kNone), all);
  EXPECT_EQ(most_seen(Reduction::kMeetings), all);
}

// The names of tasks, in an order that nothing but the runtime keeps.
class OrderOfTasks {
 public:
  void add() {
    const std::size_t at = count_.fetch_add(1, std::memory_order_relaxed);
    names_[at].store(static_cast<char>('A' + current()->id), std::memory_order_relaxed);
  }
  std::string str() const {
    std::string text;
    for (std::size_t i = 0; i < count_.load(std::memory_order_relaxed); ++i) {
      text += names_[i].load(std::memory_order_relaxed);
    }
    return text;
  }

 private:
  std::array<std::atomic<char>, kTasksMax> names_{};
  std::atomic<std::size_t> count_{0};
};

// Orders in which three tasks end.
std::set<std::string> orders_of_tasks(const Exhaustive::Options& options) {
  FiberRuntime runtime;
  runtime.set_strategy(std::make_unique<Exhaustive>(options));
  std::set<std::string> orders;
  do {
    Atomic<int> word{0};
    OrderOfTasks order;
    const auto body = [&] {
      word.fetch_add(1);
      order.add();
    };
    RunState run;
    run_on(runtime, run, {body, body, body});
    orders.insert(order.str());
  } while (runtime.strategy().next_execution());
  return orders;
}

TEST(Exhaustive, TheLastTaskMayHaveToWaitFirst) {
  using LastTask = Exhaustive::LastTask;
  EXPECT_EQ(orders_of_tasks({}).size(), 6u);
  EXPECT_EQ(orders_of_tasks({.last_task = LastTask::kWaitsFirst}),
            (std::set<std::string>{"CAB", "CBA"}));
  // That it runs while another one can is a preemption; they have none before.
  EXPECT_EQ(orders_of_tasks({.most = 1, .last_task = LastTask::kYields}).size(), 6u);
}

TEST(Exhaustive, ThatTheLastTaskRunsMayBeAPreemption) {
  const auto bounds_of = [](Exhaustive::LastTask last_task) {
    auto owned = std::make_unique<Exhaustive>(
        Exhaustive::Options{.most = 1, .last_task = last_task});
    Exhaustive& strategy = *owned;
    FiberRuntime runtime;
    runtime.set_strategy(std::move(owned));
    std::map<std::string, int> bounds;  // of each order, the first
    do {
      OrderOfTasks order;
      const auto body = [&] { order.add(); };
      RunState run;
      run_on(runtime, run, {body, body, body});
      bounds.insert({order.str(), strategy.bound()});
    } while (strategy.next_execution());
    return bounds;
  };
  EXPECT_EQ(bounds_of(Exhaustive::LastTask::kLikeOthers)["CAB"], 0);
  const auto bounds = bounds_of(Exhaustive::LastTask::kYields);
  EXPECT_EQ(bounds.at("ABC"), 0);
  EXPECT_EQ(bounds.at("BAC"), 0);
}

TEST(Exhaustive, ChoicesMayBeAlike) {
  FiberRuntime runtime;
  runtime.set_strategy(std::make_unique<Exhaustive>(
      Exhaustive::Options{.choices = Exhaustive::Choices::kAlike}));
  std::multiset<std::string> chosen;
  do {
    std::string choices;
    RunState run;
    run_on(runtime, run, {[&] {
             for (int i = 0; i < 3; ++i) choices += static_cast<char>('0' + choose(2));
           }});
    chosen.insert(choices);
  } while (runtime.strategy().next_execution());
  EXPECT_EQ(chosen, (std::multiset<std::string>{"000", "111"}));
}

// The orders in which three tasks enter a section twice each, under the lock.
template <typename Lock, typename Guard>
std::set<std::string> orders_of_sections() {
  FiberRuntime runtime(seeded(StrategyKind::kExhaustive, 0));
  std::set<std::string> orders;
  do {
    Lock lock;
    std::string order;
    RunState run;
    const auto body = [&] {
      for (int i = 0; i < 2; ++i) {
        const Guard guard(lock);
        order += static_cast<char>('A' + current()->id);
      }
    };
    const Body bodies[] = {body, body};
    runtime.run(run, bodies);
    EXPECT_FALSE(run.over());
    orders.insert(order);
  } while (runtime.strategy().next_execution());
  return orders;
}

const std::set<std::string> kSixOrders = {"AABB", "ABAB", "ABBA",
                                          "BAAB", "BABA", "BBAA"};

TEST(Exhaustive, TasksThatSpinAreNoTrouble) {
  EXPECT_EQ((orders_of_sections<ToyLock, ToyGuard>()), kSixOrders);
}

TEST(Exhaustive, NorAreTasksThatSleep) {
  EXPECT_EQ((orders_of_sections<ToyMutex, ToyMutexGuard>()), kSixOrders);
}

TEST(Exhaustive, TriesEveryChoice) {
  FiberRuntime runtime(seeded(StrategyKind::kExhaustive, 0));
  std::multiset<int> values;
  do {
    RunState run;
    run_on(runtime, run, {[&] {
             const auto tens = static_cast<int>(choose(3));
             values.insert(10 * tens + static_cast<int>(choose(2)));
           }});
  } while (runtime.strategy().next_execution());
  EXPECT_EQ(values, (std::multiset<int>{0, 1, 10, 11, 20, 21}));
}

// What a store buffer shows of two tasks, in all runs there are: r0, r1.
std::set<std::pair<int, int>> store_buffering(Exhaustive& strategy,
                                              FiberRuntime& runtime) {
  std::set<std::pair<int, int>> outcomes;
  do {
    Atomic<int> x{0}, y{0};
    int r0 = -1, r1 = -1;
    RunState run;
    run.weak_memory = true;
    run_on(runtime, run,
           {[&] {
              x.store(1, std::memory_order_relaxed);
              r0 = y.load(std::memory_order_relaxed);
            },
            [&] {
              y.store(1, std::memory_order_relaxed);
              r1 = x.load(std::memory_order_relaxed);
            }});
    EXPECT_FALSE(run.over());
    outcomes.insert({r0, r1});
  } while (strategy.next_execution());
  return outcomes;
}

TEST(Exhaustive, WeakMemoryIsNotReduced) {
  std::uint64_t executions[2];
  for (const Reduction reduction : {Reduction::kNone, Reduction::kSleepSets}) {
    auto owned = std::make_unique<Exhaustive>(1, reduction);
    Exhaustive& strategy = *owned;
    FiberRuntime runtime;
    runtime.set_strategy(std::move(owned));
    const auto outcomes = store_buffering(strategy, runtime);
    EXPECT_EQ(outcomes,
              (std::set<std::pair<int, int>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
    executions[reduction == Reduction::kNone] = strategy.executions();
  }
  EXPECT_EQ(executions[0], executions[1]);
}

TEST(Exhaustive, TriesEachRareChoiceOnce) {
  FiberRuntime runtime(seeded(StrategyKind::kExhaustive, 0));
  std::multiset<std::uint64_t> values;
  do {
    RunState run;
    run_on(runtime, run, {[&] {
             const std::uint64_t value = runtime.choose_rarely(*current(), 6);
             values.insert(value);
           }});
  } while (runtime.strategy().next_execution());
  EXPECT_EQ(values, (std::multiset<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
}

// Something that no schedule has: the runs so far.
TEST(Exhaustive, NoticesThatTwoRunsDiffer) {
  Exhaustive* strategy = nullptr;
  FiberRuntime runtime;
  const auto search_all = [&](int more_each_run, bool choices) {
    auto owned = std::make_unique<Exhaustive>(0);
    strategy = owned.get();
    runtime.set_strategy(std::move(owned));
    int runs = 0;
    do {
      Atomic<int> word{0};
      const auto body = [&] {
        for (int i = 0; i <= runs * more_each_run % 3; ++i) {
          if (choices) choose(2);
          word.store(1);
        }
      };
      RunState run;
      run_on(runtime, run, {body, body});
      ++runs;
    } while (runs < 1000 && strategy->next_execution());
  };
  for (const bool choices : {false, true}) {
    search_all(0, choices);
    EXPECT_FALSE(strategy->diverged());
    EXPECT_TRUE(strategy->exhausted());
    for (const int more : {1, 2}) {
      search_all(more, choices);
      EXPECT_TRUE(strategy->diverged());
      EXPECT_FALSE(strategy->exhausted());
    }
  }
}

TEST(Exhaustive, SaysHowMuchItHasTried) {
  using Tried = Strategy::Tried;
  for (const auto& [most, tried] :
       {std::pair{1, Tried::kWithinDepth}, {5, Tried::kAll}, {0, Tried::kAll}}) {
    Exhaustive* strategy = nullptr;
    FiberRuntime runtime;
    auto owned = std::make_unique<Exhaustive>(most);
    strategy = owned.get();
    runtime.set_strategy(std::move(owned));
    do {
      EXPECT_EQ(strategy->tried(), Tried::kSome);
      sees_one_then_two(runtime);
    } while (strategy->next_execution());
    EXPECT_EQ(strategy->tried(), tried) << most;
  }
}

TEST(Exhaustive, SaysWhenAllIsDone) {
  FiberRuntime runtime;
  runtime.set_strategy(std::make_unique<Exhaustive>(0));
  RunState run;
  run_on(runtime, run, {[] {}});
  EXPECT_FALSE(runtime.strategy().next_execution());
  EXPECT_FALSE(runtime.strategy().next_execution());
}

}  // namespace
}  // namespace racier
