// core/runtime/fiber_runtime_test.cc - the controlled world: turns, sleeps, ends.
#include "core/runtime/fiber_runtime.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <set>
#include <string>

#include "core/runtime/run_alone.h"
#include "core/runtime/sanitizers.h"
#include "core/runtime/toys_test.h"
#include "core/runtime/trace.h"
#include "core/sync/bit_lock.h"
#include "core/sync/lock_checker.h"
#include "core/sync/rw_semaphore.h"
#include "core/sync/spin_lock.h"

namespace racier {
namespace {

using toys::Notes;
using toys::signature;
using toys::sleep;
using toys::ToyGuard;
using toys::ToyLock;
using toys::ToyMutex;
using toys::ToyMutexGuard;

Schedule switches(std::vector<Switch> list) {
  Schedule schedule;
  schedule.strategy = StrategyKind::kReplay;
  schedule.switches = std::move(list);
  return schedule;
}

void wake(int task) {
  Runtime& runtime = *current()->runtime;
  runtime.unpark(runtime.task(task));
}

// ---- Turns --------------------------------------------------------------------------

TEST(FiberRuntime, RunsEveryBodyOnce) {
  Notes notes;
  const auto body = [&] { notes.add(std::to_string(current()->id) + " "); };
  const std::vector<Body> bodies(kTasksMax, body);
  FiberRuntime runtime;
  RunState run;
  runtime.run(run, bodies);
  EXPECT_EQ(run.finding(), std::nullopt);
  EXPECT_EQ(notes.str(), "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 ");
  EXPECT_EQ(current(), nullptr);
}

TEST(FiberRuntime, SwitchesWhereTheScheduleSays) {
  Atomic<int> word{0};
  Notes story;
  const auto teller = [&](const char* step) {
    word.fetch_add(1);
    story.add(step);
  };
  const auto a = [&] { teller("a1 "), teller("a2 "); };
  const auto b = [&] { teller("b1 "), teller("b2 "); };
  // Step 0 of a task is its start.
  EXPECT_EQ(run_tasks(switches({{.task = 0, .step = 2, .next = 1},
                                {.task = 1, .step = 2, .next = 0}}),
                      {a, b}),
            std::nullopt);
  EXPECT_EQ(story.str(), "a1 b1 a2 b2 ");
  story.clear();
  EXPECT_EQ(run_tasks(switches({{.task = 0, .step = 0, .next = 1}}), {a, b}),
            std::nullopt);
  EXPECT_EQ(story.str(), "b1 b2 a1 a2 ");
}

TEST(FiberRuntime, AStepComesBeforeItsOperation) {
  Atomic<int> word{0};
  int seen = -1;
  EXPECT_EQ(run_tasks(switches({{.task = 0, .step = 1, .next = 1}}),
                      {[&] { word.store(1); }, [&] { seen = word.load(); }}),
            std::nullopt);
  EXPECT_EQ(seen, 0);
}

TEST(FiberRuntime, StepsOffIsOneStepForTheOthers) {
  Atomic<int> word{0};
  for (int seed = 0; seed < 50; ++seed) {
    const auto body = [&] {
      word.load();
      const StepsOff off;
      const int before = word.load();
      word.store(before + 1);
      EXPECT_EQ(word.load(), before + 1);
    };
    EXPECT_EQ(run_tasks(random_walk_seed(seed), {body, body}), std::nullopt);
  }
  EXPECT_EQ(word.load(), 100);
}

TEST(FiberRuntime, LosesUpdatesWithoutALock) {
  int lost = 0;
  for (int seed = 0; seed < 100; ++seed) {
    Atomic<int> word{0};
    const auto body = [&] { word.store(word.load() + 1); };
    run_tasks(random_walk_seed(seed), {body, body});
    if (word.load() == 1) ++lost;
  }
  EXPECT_GT(lost, 10);
  EXPECT_LT(lost, 90);
}

TEST(FiberRuntime, KeepsItsFibersForTheNextRuntime) {
  const void* stacks[2] = {};
  for (const void*& stack : stacks) {
    run_alone([&] { stack = __builtin_frame_address(0); });
  }
  EXPECT_NEAR(reinterpret_cast<std::intptr_t>(stacks[0]),
              reinterpret_cast<std::intptr_t>(stacks[1]), 1024);
}

TEST(FiberRuntime, HasRoomOnItsStacks) {
  EXPECT_EQ(run_alone([] {
              volatile char room[128 * 1024];
              for (std::size_t i = sizeof room; i > 0; i -= 1024) room[i - 1] = 1;
            }),
            std::nullopt);
}

// ---- Waits --------------------------------------------------------------------------

TEST(FiberRuntime, AWaitingTaskDoesNotRunUntilItsWordChanges) {
  Atomic<int> word{0}, noise{0};
  FiberRuntime runtime(random_walk_seed(3));
  RunState run;
  run_on(runtime, run,
         {[&] {
            while (word.load() == 0) word.wait_until_written();
          },
          [&] {
            for (int i = 0; i < 1000; ++i) noise.fetch_add(1);
            word.store(1);
          }});
  EXPECT_EQ(run.finding(), std::nullopt);
  EXPECT_LE(runtime.task(0).steps, 4u);  // start, load, wait, load
}

TEST(FiberRuntime, TwoWaitersDoNotWakeEachOther) {
  // Tasks 0 and 1 spin by failing exchanges while task 2, suspended, holds the lock.
  ToyLock lock;
  FiberRuntime runtime(
      switches({{.task = 0, .step = 0, .next = 2}, {.task = 2, .step = 2, .next = 0}}),
      1000);
  RunState run;
  const auto body = [&] { const ToyGuard guard(lock); };
  run_on(runtime, run, {body, body, body});
  EXPECT_EQ(signature(run.finding()), "clean");
  EXPECT_LT(runtime.steps(), 20u);
}

TEST(FiberRuntime, AWaiterSeesAWriteThatWasNoStep) {
  Atomic<int> word{0};
  EXPECT_EQ(run_tasks({}, {[&] {
                             while (word.load() == 0) word.wait_until_written();
                           },
                           [&] { word.raw().store(1); }}),
            std::nullopt);
}

TEST(FiberRuntime, NoStrategyLivelocksOnASpinLock) {
  for (int kind = 0; kind < kStrategyKinds; ++kind) {
    for (int seed = 0; seed < 20; ++seed) {
      ToyLock lock;
      int counter = 0;
      const auto body = [&] {
        for (int i = 0; i < 20; ++i) {
          const ToyGuard guard(lock);
          ++counter;
        }
      };
      const auto strategy = static_cast<StrategyKind>(kind);
      EXPECT_EQ(signature(run_tasks(seeded(strategy, seed), {body, body, body})),
                "clean");
      EXPECT_EQ(counter, 60);
    }
  }
}

TEST(FiberRuntime, ASleeperSleepsUntilItIsWoken) {
  Notes story;
  EXPECT_EQ(run_tasks({}, {[&] {
                             sleep();
                             story.add("slept ");
                           },
                           [&] {
                             story.add("wakes ");
                             wake(0);
                           }}),
            std::nullopt);
  EXPECT_EQ(story.str(), "wakes slept ");
}

TEST(FiberRuntime, AnEarlyWakeIsKept) {
  EXPECT_EQ(run_tasks(switches({{.task = 0, .step = 0, .next = 1}}),
                      {[] { sleep(); }, [] { wake(0); }}),
            std::nullopt);
}

TEST(FiberRuntime, AnEarlyWakeIsKeptOnceOnly) {
  EXPECT_EQ(
      signature(run_tasks(switches({{.task = 0, .step = 0, .next = 1}}), {[] {
                                                                            sleep();
                                                                            sleep();
                                                                          },
                                                                          [] {
                                                                            wake(0);
                                                                            wake(0);
                                                                          }})),
      "deadlock | INFO: task hung in TestBody");
}

TEST(FiberRuntime, SleepingLocksWork) {
  for (int seed = 0; seed < 200; ++seed) {
    ToyMutex mutex;
    int counter = 0;
    const auto body = [&] {
      for (int i = 0; i < 5; ++i) {
        const ToyMutexGuard guard(mutex);
        ++counter;
      }
    };
    EXPECT_EQ(signature(run_tasks(random_walk_seed(seed), {body, body, body})),
              "clean");
    EXPECT_EQ(counter, 15);
  }
}

// ---- Findings of the runtime --------------------------------------------------------

void lock_first_then_second(ToyLock& first, ToyLock& second) {
  const ToyGuard outer(first);
  const ToyGuard inner(second);
}

TEST(FiberRuntime, FindsADeadlock) {
  ToyLock a, b;
  const auto finding = run_tasks(
      switches({{.task = 0, .step = 2, .next = 1}}),
      {[&] { lock_first_then_second(a, b); }, [&] { lock_first_then_second(b, a); }});
  EXPECT_EQ(signature(finding), "deadlock | INFO: task hung in lock_first_then_second");
  EXPECT_EQ(finding->task, -1);
  EXPECT_NE(finding->detail.find("task 0 spins in lock_first_then_second (fiber_"),
            std::string::npos)
      << finding->detail;
}

TEST(FiberRuntime, ADeadlockTellsWhoHoldsWhat) {
  static constexpr LockClass kClass{"page_table_lock", 7};
  LockChecker checker;
  checker.reset();
  RunState run;
  run.lock_checker = &checker;
  SpinLock lock(kClass);
  const auto finding = run_tasks(run, {}, {[&] {
                                   const SpinGuard guard(lock);
                                   sleep();
                                 }});
  EXPECT_NE(finding->detail.find("holds page_table_lock since TestBody"),
            std::string::npos)
      << finding->detail;
}

void lock_both(SpinLock& first, SpinLock& second) {
  const SpinGuard outer(first);
  const SpinGuard inner(second);
}

TEST(FiberRuntime, ADeadlockIsToldAsACycle) {
  static constexpr LockClass kA{"a->lock", 7};
  static constexpr LockClass kB{"b->lock", 8};
  SpinLock a(kA), b(kB), c(kB);
  // Steps of each: start, lock, lock.  Task 2 waits for the cycle and is none of it.
  const auto finding = run_tasks(
      switches({{.task = 0, .step = 2, .next = 1}}),
      {[&] { lock_both(a, b); }, [&] { lock_both(b, a); }, [&] { lock_both(c, b); }});
  ASSERT_TRUE(finding.has_value());
  const std::string& detail = finding->detail;
  const auto lines = detail.substr(0, detail.find("task 0 spins"));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3) << detail;
  EXPECT_EQ(
      lines.find("a cycle of waiting:\n  task 0 waits for b->lock in lock_both ("), 0u)
      << detail;
  EXPECT_NE(lines.find("; task 1 holds it since lock_both ("), std::string::npos);
  EXPECT_NE(lines.find("  task 1 waits for a->lock in lock_both ("), std::string::npos);
  EXPECT_NE(lines.find("; task 0 holds it since lock_both ("), std::string::npos);
}

void hold_both_bits(Atomic<std::uint64_t>& first, Atomic<std::uint64_t>& second,
                    WaitQueue& queue) {
  static constexpr LockClass kPage{"page lock", 9};
  bit_lock(first, 0, queue, kPage);
  bit_lock(second, 0, queue, kPage);
}

TEST(FiberRuntime, ADeadlockOfSleepingBitLocksIsToldAsACycle) {
  static constexpr LockClass kQueue{"queue", 10};
  Atomic<std::uint64_t> a{0}, b{0};
  WaitQueue queue(kQueue);
  const auto finding =
      run_tasks(switches({{.task = 0, .step = 2, .next = 1}}),
                {[&] { hold_both_bits(a, b, queue); },
                 [&] { hold_both_bits(b, a, queue); }, [] { sleep(); }});
  EXPECT_EQ(signature(finding), "deadlock | INFO: task hung in hold_both_bits");
  EXPECT_EQ(
      finding->detail.find(
          "a cycle of waiting:\n  task 0 waits for page lock in hold_both_bits ("),
      0u)
      << finding->detail;
}

// The lock has two readers, and only the second one waits for the writer.
TEST(FiberRuntime, ADeadlockThroughOneOfTwoReadersIsToldAsACycle) {
  static constexpr LockClass kSem{"sem", 7};
  static constexpr LockClass kOther{"other", 8};
  RwSemaphore sem(kSem), other(kOther);
  const auto sleeper = [&] {
    const ReadGuard guard(sem);
    sleep();
  };
  const auto reader = [&] {
    const ReadGuard guard(sem);
    const WriteGuard wants(other);
  };
  const auto writer = [&] {
    const WriteGuard guard(other);
    const WriteGuard wants(sem);
  };
  // Steps: start, lock, then lock again, or sleep.
  const auto finding = run_tasks(
      switches({{.task = 0, .step = 2, .next = 1}, {.task = 1, .step = 2, .next = 2}}),
      {writer, sleeper, reader});
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->detail.find("a cycle of waiting:\n  task 0 waits for sem in "), 0u)
      << finding->detail;
}

TEST(FiberRuntime, ATaskThatIsIdleIsNotHung) {
  const auto finding =
      run_tasks({}, {[] { sleep(); },
                     [] {
                       current()->idle = true;
                       current()->runtime->park(*current(), std::source_location());
                     }});
  EXPECT_EQ(signature(finding).find("deadlock | INFO: task hung in "), 0u);
  EXPECT_EQ(signature(finding).find(" / "), std::string::npos) << signature(finding);
}

TEST(FiberRuntime, ATaskThatEndsMayLeaveADeadlock) {
  EXPECT_EQ(signature(run_tasks({}, {[] { sleep(); }, [] {}})),
            "deadlock | INFO: task hung in TestBody");
}

TEST(FiberRuntime, FindsThatNothingProgresses) {
  Atomic<int> word{0};
  FiberRuntime runtime({}, 1000);
  RunState run;
  run_on(runtime, run, {[&] {
           while (word.load() == 0) {
           }
         }});
  EXPECT_EQ(signature(run.finding()), "no-progress | BUG: soft lockup: no progress");
  EXPECT_EQ(run.finding()->task, 0);
}

struct alignas(16) OneWord {
  Atomic<int> dead{0};
};

void write_dead(OneWord& words) { words.dead.store(1); }
int read_dead(OneWord& words) { return words.dead.load(); }

TEST(FiberRuntime, FindsAStepOnDeadMemory) {
  OneWord words;
  LiveMap live(&words, sizeof words);
  RunState run;
  run.live = &live;
  const auto finding = run_tasks(run, {}, {[&] { read_dead(words); }});
  EXPECT_EQ(signature(finding), "use-after-free | KASAN: use-after-free in read_dead");
  EXPECT_EQ(finding->task, 0);
  EXPECT_EQ(finding->step, 1u);
  run.reset();
  EXPECT_EQ(signature(run_tasks(run, {}, {[&] { write_dead(words); }})),
            "use-after-free | KASAN: use-after-free in write_dead");
  run.reset();
  live.set_alive(&words, sizeof words);
  EXPECT_EQ(run_tasks(run, {}, {[&] { write_dead(words); }}), std::nullopt);
}

TEST(FiberRuntime, FindsAWaitOnMemoryThatDies) {
  OneWord words;
  LiveMap live(&words, sizeof words);
  live.set_alive(&words, sizeof words);
  RunState run;
  run.live = &live;
  const auto finding = run_tasks(run, {},
                                 {[&] {
                                    while (read_dead(words) == 0) {
                                      words.dead.wait_until_written();
                                    }
                                  },
                                  [&] { live.set_dead(&words, sizeof words); }});
  EXPECT_EQ(finding->kind, FindingKind::kUseAfterFree);
}

// ---- The end of a run that has a finding --------------------------------------------

struct CountsItsEnd {
  std::atomic<int>& count;
  ~CountsItsEnd() { ++count; }
};

TEST(FiberRuntime, AFindingUnwindsEveryTask) {
  Atomic<int> word{0};
  ToyLock lock;
  std::atomic<int> unwound = 0;
  std::atomic<bool> went_on = false;
  const auto finding = run_tasks({}, {[&] {
                                        const CountsItsEnd end{unwound};
                                        const ToyGuard guard(lock);
                                        sleep();
                                        went_on = true;
                                      },
                                      [&] {
                                        const CountsItsEnd end{unwound};
                                        while (word.load() == 0)
                                          word.wait_until_written();
                                        went_on = true;
                                      },
                                      [&] {
                                        const CountsItsEnd end{unwound};
                                        report(FindingKind::kRmap, "enough");
                                      },
                                      [&] { went_on = true; }});
  EXPECT_EQ(signature(finding), "rmap | enough");
  EXPECT_EQ(finding->task, 2);
  EXPECT_EQ(unwound, 3);
  EXPECT_FALSE(went_on);
  EXPECT_EQ(lock.word.raw().load(), 0u);
}

TEST(FiberRuntime, AnAbortedRunLeavesNothingToTheNext) {
  for (int seed = 0; seed < 100; ++seed) {
    ToyLock lock;
    ToyMutex mutex;
    const auto body = [&] {
      const ToyMutexGuard outer(mutex);
      const ToyGuard inner(lock);
      if (current()->id == 1) report(FindingKind::kRmap, "enough");
      wake(2);
    };
    ASSERT_EQ(signature(run_tasks(random_walk_seed(seed), {body, body, body, body})),
              "rmap | enough");
    std::atomic<int> done = 0;
    ASSERT_EQ(
        signature(run_tasks(random_walk_seed(seed), {[&] {
                                                       const ToyGuard guard(lock);
                                                       ++done;
                                                     },
                                                     [&] {
                                                       const ToyMutexGuard guard(mutex);
                                                       ++done;
                                                     }})),
        "clean");
    ASSERT_EQ(done, 2);
  }
}

TEST(FiberRuntime, AWaitInADestructorEnds) {
  // Task 0 reports while task 1, suspended, holds the lock that a destructor of 0
  // wants.
  ToyLock lock;
  struct LocksAtEnd {
    ToyLock& lock;
    ~LocksAtEnd() noexcept(false) { const ToyGuard guard(lock); }
  };
  const auto finding = run_tasks(
      switches({{.task = 0, .step = 0, .next = 1}, {.task = 1, .step = 2, .next = 0}}),
      {[&] {
         const LocksAtEnd end{lock};
         report(FindingKind::kRmap, "enough");
       },
       [&] { const ToyGuard guard(lock); }});
  EXPECT_EQ(signature(finding), "rmap | enough");
}

TEST(FiberRuntime, NoSwitchWhileAnExceptionIsInFlight) {
  Atomic<int> word{0};
  struct StepsAtEnd {
    Atomic<int>& word;
    ~StepsAtEnd() noexcept(false) {
      for (int i = 0; i < 5; ++i) word.fetch_add(1);
    }
  };
  for (int seed = 0; seed < 50; ++seed) {
    const auto body = [&] {
      const int me = current()->id;
      for (int i = 0; i < 5; ++i) {
        word.fetch_add(1);
        try {
          const StepsAtEnd end{word};
          throw me;
        } catch (const int caught) {
          word.fetch_add(1);
          EXPECT_EQ(caught, me);
          EXPECT_EQ(std::uncaught_exceptions(), 0);
        }
      }
    };
    EXPECT_EQ(run_tasks(random_walk_seed(seed), {body, body, body}), std::nullopt);
  }
}

TEST(FiberRuntimeDeathTest, NoOtherExceptionLeavesABody) {
  EXPECT_DEATH(run_alone([] { throw 1; }), "no exception but RunOver leaves");
}

TEST(FiberRuntimeDeathTest, RunsDoNotNest) {
  EXPECT_DEATH(run_alone([] { run_alone([] {}); }),
               "a run does not start inside a task");
}

// ---- Choices, recordings ------------------------------------------------------------

TEST(FiberRuntime, ChoosesZeroUnlessTheStrategySaysElse) {
  std::set<std::uint64_t> by_rule, by_seed;
  const auto choose_ten = [](std::set<std::uint64_t>& values) {
    for (int i = 0; i < 50; ++i) values.insert(choose(10));
  };
  run_alone([&] { choose_ten(by_rule); });
  EXPECT_EQ(by_rule, (std::set<std::uint64_t>{0}));
  run_tasks(random_walk_seed(1), {[&] { choose_ten(by_seed); }});
  EXPECT_GT(by_seed.size(), 7u);
  EXPECT_LT(*by_seed.rbegin(), 10u);
}

TEST(FiberRuntime, RecordsOnlyWhatDiffersFromTheRule) {
  FiberRuntime runtime;
  RunState run;
  Atomic<int> word{0};
  const auto body = [&] { word.fetch_add(1); };
  run_on(runtime, run, {body, body});
  EXPECT_TRUE(runtime.recorded().switches.empty());
  runtime.set_schedule(switches({{.task = 0, .step = 1, .next = 1}}));
  run_on(runtime, run, {body, body});
  EXPECT_EQ(runtime.recorded().switches,
            (std::vector<Switch>{{.task = 0, .step = 1, .next = 1}}));
}

// ---- Costs --------------------------------------------------------------------------

long resident_pages() {
  long size = 0, resident = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (std::fscanf(file, "%ld %ld", &size, &resident) != 2) resident = -1;
  std::fclose(file);
  return resident;
}

TEST(FiberRuntime, AHundredThousandRunsNeedNoMoreMemory) {
  FiberRuntime runtime;
  RunState run;
  const auto one = [&](int seed) {
    ToyLock lock;
    const auto body = [&] {
      const ToyGuard guard(lock);
      if (seed % 10 == 0) report(FindingKind::kRmap, "enough");  // aborted runs too
    };
    const Body bodies[] = {body, body};
    runtime.set_schedule(random_walk_seed(seed));
    run.reset();
    runtime.run(run, bodies);
  };
  for (int seed = 0; seed < 10'000; ++seed) one(seed);
  const long before = resident_pages();
  for (int seed = 0; seed < 100'000; ++seed) one(seed);
  // Under AddressSanitizer freed blocks are kept, a hundred bytes a run.
  EXPECT_LT(resident_pages() - before, sanitizers::asan() ? 4096 : 256);
}

}  // namespace
}  // namespace racier
