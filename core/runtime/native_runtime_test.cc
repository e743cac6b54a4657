// core/runtime/native_runtime_test.cc - the host's threads as tasks.
#include "core/runtime/native_runtime.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "core/runtime/run_alone.h"
#include "core/runtime/toys_test.h"

namespace racier {
namespace {

using toys::signature;
using toys::sleep;
using toys::ToyGuard;
using toys::ToyLock;
using toys::ToyMutex;
using toys::ToyMutexGuard;

TEST(NativeRuntime, RunsEveryBodyOnAThreadOfItsOwn) {
  std::array<std::thread::id, 3> ids;
  const auto body = [&] {
    ids[static_cast<std::size_t>(current()->id)] = std::this_thread::get_id();
  };
  EXPECT_EQ(run_threads({body, body, body}), std::nullopt);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(ids[static_cast<std::size_t>(i)], std::this_thread::get_id());
    EXPECT_NE(ids[static_cast<std::size_t>(i)],
              ids[static_cast<std::size_t>((i + 1) % 3)]);
  }
}

TEST(NativeRuntime, KeepsItsThreadsFromRunToRun) {
  NativeRuntime runtime;
  RunState run;
  std::thread::id id;
  run_on(runtime, run, {[&] { id = std::this_thread::get_id(); }});
  const std::thread::id first = id;
  int counter = 0;
  const auto count = [&] {
    id = std::this_thread::get_id();
    ++counter;
  };
  const auto nothing = [] {};
  const Body bodies[] = {count, nothing, nothing};
  for (std::size_t i = 0; i < 200; ++i) {
    runtime.run(run, std::span(bodies).first(i % 3 + 1));
    ASSERT_EQ(id, first);
  }
  EXPECT_EQ(counter, 200);
}

TEST(NativeRuntime, LocksExclude) {
  ToyLock lock;
  ToyMutex mutex;
  int spun = 0, slept = 0;
  const auto body = [&] {
    for (int i = 0; i < 2000; ++i) {
      {
        const ToyGuard guard(lock);
        ++spun;
      }
      const ToyMutexGuard guard(mutex);
      ++slept;
    }
  };
  EXPECT_EQ(signature(run_threads({body, body, body})), "clean");
  EXPECT_EQ(spun, 6000);
  EXPECT_EQ(slept, 6000);
}

TEST(NativeRuntime, AnEarlyWakeIsKept) {
  EXPECT_EQ(run_threads({[] {
              Runtime& runtime = *current()->runtime;
              runtime.unpark(*current());
              sleep();
            }}),
            std::nullopt);
}

TEST(NativeRuntime, AFindingWakesSleepersAndEndsLoops) {
  Atomic<int> word{0};
  ToyLock lock;
  const auto finding = run_threads({[&] {
                                      const ToyGuard guard(lock);
                                      sleep();
                                    },
                                    [&] {
                                      for (;;) word.fetch_add(1);
                                    },
                                    [&] {
                                      while (word.load() < 1000) {
                                      }
                                      report(FindingKind::kRmap, "enough");
                                    }});
  EXPECT_EQ(signature(finding), "rmap | enough");
  EXPECT_EQ(finding->task, 2);
  EXPECT_EQ(lock.word.raw().load(), 0u);
}

TEST(NativeRuntime, IsCancelledFromOutside) {
  NativeRuntime runtime;
  RunState run;
  std::thread watchdog([&] {
    while (runtime.waiting().empty()) std::this_thread::yield();
    EXPECT_TRUE(runtime.running());
    EXPECT_NE(describe(runtime.waiting()).find("task 0 sleeps in TestBody"),
              std::string::npos);
    Finding finding;
    finding.kind = FindingKind::kDeadlock;
    finding.title = "nobody moves";
    runtime.cancel(std::move(finding));
  });
  run_on(runtime, run, {[] { sleep(); }});
  watchdog.join();
  EXPECT_EQ(signature(run.finding()), "deadlock | nobody moves");
}

TEST(NativeRuntime, TellsWhoSpinsWhere) {
  NativeRuntime runtime;
  RunState run;
  ToyLock lock;
  std::thread watchdog([&] {
    while (runtime.waiting().size() < 2) std::this_thread::yield();
    const std::vector<Stuck> waiting = runtime.waiting();
    Finding finding;
    finding.kind = FindingKind::kNoProgress;
    finding.title = hung_title(waiting);
    finding.detail = describe(waiting);
    runtime.cancel(std::move(finding));
  });
  const auto wait_for_ever = [&] {
    const ToyGuard guard(lock);
    sleep();
  };
  run_on(runtime, run, {wait_for_ever, wait_for_ever});
  watchdog.join();
  EXPECT_NE(run.finding()->detail.find(" sleeps in "), std::string::npos);
  EXPECT_NE(run.finding()->detail.find(" spins in "), std::string::npos);
  EXPECT_FALSE(runtime.running());
  EXPECT_TRUE(runtime.waiting().empty());
}

TEST(NativeRuntime, TellsItsProgress) {
  NativeRuntime runtime;
  RunState run;
  Atomic<int> word{0};
  const std::uint64_t before = runtime.progress();
  run_on(runtime, run, {[&] {
           for (int i = 0; i < 100; ++i) word.fetch_add(1);
         }});
  EXPECT_GE(runtime.progress(), before + 100);
}

TEST(NativeRuntime, ChoosesBySeed) {
  const auto chosen = [](std::uint64_t seed) {
    std::vector<std::uint64_t> values;
    NativeRuntime runtime(seed);
    RunState run;
    run_on(runtime, run, {[&] {
             for (int i = 0; i < 20; ++i) values.push_back(choose(10));
           }});
    return values;
  };
  EXPECT_EQ(chosen(1), chosen(1));
  EXPECT_NE(chosen(1), chosen(2));
  for (const std::uint64_t value : chosen(3)) EXPECT_LT(value, 10u);
}

TEST(NativeRuntime, AWaitInADestructorEnds) {
  ToyLock lock;
  Atomic<bool> locked{false};
  struct LocksAtEnd {
    ToyLock& lock;
    ~LocksAtEnd() noexcept(false) { const ToyGuard guard(lock); }
  };
  const auto finding = run_threads({[&] {
                                      const LocksAtEnd end{lock};
                                      while (!locked.load())
                                        locked.wait_until_written();
                                      report(FindingKind::kRmap, "enough");
                                    },
                                    [&] {
                                      const ToyGuard guard(lock);
                                      locked.store(true);
                                      sleep();
                                    }});
  EXPECT_EQ(signature(finding), "rmap | enough");
}

}  // namespace
}  // namespace racier
