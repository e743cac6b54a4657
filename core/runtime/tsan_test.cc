// core/runtime/tsan_test.cc - what ThreadSanitizer sees of fibers: every race, nothing
// else.
//
// The proof behind all uses of the tsan build.  Each row of orders is run under many
// seeds: TSan judges by happens-before, so the verdict must not depend on the schedule.
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "core/runtime/run_alone.h"
#include "core/runtime/sanitizers.h"
#include "core/runtime/toys_test.h"

namespace racier {
namespace {

using toys::signature;
using toys::ToyGuard;
using toys::ToyLock;

constexpr int kWalks = 20;

// Alone in its 8 bytes: TSan keeps four accesses for each 8, and forgets one for a
// fifth.
struct Shared {
  alignas(8) int word = 0;
};

class TsanOnFibers : public testing::Test {
 protected:
  void SetUp() override {
    if (!sanitizers::tsan()) GTEST_SKIP() << "not built with ThreadSanitizer";
  }
};

// How many of kWalks random walks over `bodies` report a race.
template <typename... Fns>
int races(Fns... bodies) {
  int found = 0;
  for (int seed = 0; seed < kWalks; ++seed) {
    const auto finding = run_tasks(random_walk_seed(seed), {bodies...});
    if (finding && finding->kind == FindingKind::kDataRace) ++found;
  }
  return found;
}

__attribute__((noinline)) void write_it(int& at) { at = 1; }
__attribute__((noinline)) int read_it(const int& at) {
  return *const_cast<const volatile int*>(&at);
}

TEST_F(TsanOnFibers, UnlockedAccessesRaceOnEverySchedule) {
  alignas(8) int shared = 0;
  EXPECT_EQ(races([&] { write_it(shared); }, [&] { (void)read_it(shared); }), kWalks);
}

// Eight bytes have one history of four accesses; a new one evicts any.
TEST_F(TsanOnFibers, ARaceIsNamedByBothFunctions) {
  alignas(8) int shared = 0;
  alignas(8) Atomic<int> other{0};
  const auto finding = run_tasks({}, {[&] {
                                        write_it(shared);
                                        other.store(1, std::memory_order_relaxed);
                                      },
                                      [&] {
                                        (void)read_it(shared);
                                        other.store(1, std::memory_order_relaxed);
                                      }});
  EXPECT_EQ(signature(finding), "data-race | KCSAN: data-race in read_it / write_it");
  EXPECT_EQ(finding->task, 1);
  EXPECT_NE(finding->detail.find("write of 4 bytes by task 0"), std::string::npos)
      << finding->detail;
}

TEST_F(TsanOnFibers, ARaceEndsTheRunAtTheNextStep) {
  alignas(8) int shared = 0;
  Atomic<int> step{0};
  bool reached = false;
  const auto finding = run_tasks({}, {[&] { write_it(shared); },
                                      [&] {
                                        (void)read_it(shared);
                                        step.store(1);
                                        reached = true;
                                      }});
  EXPECT_TRUE(finding.has_value());
  EXPECT_FALSE(reached);
}

int races_under_lock(std::memory_order acquire, std::memory_order release) {
  Shared shared;
  ToyLock lock;
  lock.acquire = acquire;
  lock.release = release;
  const auto body = [&] {
    for (int i = 0; i < 3; ++i) {
      ToyGuard guard(lock);
      ++shared.word;
    }
  };
  return races(body, body);
}

TEST_F(TsanOnFibers, ALockOrdersWhatItGuards) {
  EXPECT_EQ(races_under_lock(std::memory_order_acquire, std::memory_order_release), 0);
}

TEST_F(TsanOnFibers, ARelaxedLockOrdersNothing) {
  EXPECT_EQ(races_under_lock(std::memory_order_relaxed, std::memory_order_relaxed),
            kWalks);
}

int races_of_publication(std::memory_order store, std::memory_order load) {
  int found = 0;
  for (int seed = 0; seed < kWalks; ++seed) {
    Atomic<int*> published{nullptr};
    Shared payload;
    const auto finding =
        run_tasks(random_walk_seed(seed), {[&] {
                                             payload.word = 1;
                                             published.store(&payload.word, store);
                                           },
                                           [&] {
                                             while (published.load(load) == nullptr) {
                                               published.wait_until_written();
                                             }
                                             (void)read_it(payload.word);
                                           }});
    if (finding && finding->kind == FindingKind::kDataRace) ++found;
  }
  return found;
}

TEST_F(TsanOnFibers, PublicationNeedsReleaseAndAcquire) {
  EXPECT_EQ(races_of_publication(std::memory_order_release, std::memory_order_acquire),
            0);
  EXPECT_EQ(races_of_publication(std::memory_order_relaxed, std::memory_order_acquire),
            kWalks);
  EXPECT_EQ(races_of_publication(std::memory_order_release, std::memory_order_relaxed),
            kWalks);
}

TEST_F(TsanOnFibers, FreeingRacesWithReading) {
  for (int seed = 0; seed < kWalks; ++seed) {
    int* const shared = new int(0);
    const auto finding =
        run_tasks(random_walk_seed(seed),
                  {[&] { delete shared; }, [&] { (void)read_it(*shared); }});
    ASSERT_TRUE(finding.has_value());
    EXPECT_TRUE(finding->kind == FindingKind::kDataRace ||
                finding->kind == FindingKind::kUseAfterFree)
        << finding->title;
  }
}

TEST_F(TsanOnFibers, SuspendedTasksDoNotMeetInThreadLocals) {
  // current() is asked by every task between every two steps.
  Atomic<int> word{0};
  const auto body = [&] {
    for (int i = 0; i < 50; ++i) word.fetch_add(current()->id);
  };
  EXPECT_EQ(races(body, body, body), 0);
}

TEST_F(TsanOnFibers, RunsAreOrdered) {
  alignas(8) int shared = 0;
  FiberRuntime runtime(random_walk_seed(1));
  RunState run;
  const auto write = [&] { write_it(shared); };
  const auto nothing = [] {};
  for (int i = 0; i < 1000; ++i) {
    const Body even[] = {write, nothing};
    const Body odd[] = {nothing, write};
    run.reset();
    runtime.run(run, i % 2 == 0 ? even : odd);
    ASSERT_EQ(run.finding(), std::nullopt)
        << run.finding()->title << run.finding()->detail;
    write_it(shared);  // and ordered with what is outside of runs
  }
}

TEST_F(TsanOnFibers, ARaceIsFoundInALaterRunToo) {
  alignas(8) int shared = 0;
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(run_tasks({}, {[] {}, [] {}}), std::nullopt);
  }
  EXPECT_EQ(races([&] { write_it(shared); }, [&] { (void)read_it(shared); }), kWalks);
}

TEST_F(TsanOnFibers, AnAbortedRunLeavesNoRaceToTheNext) {
  alignas(8) int shared = 0;
  Atomic<int> word{0};
  for (int seed = 0; seed < 200; ++seed) {
    ToyLock lock;
    const auto finding =
        run_tasks(random_walk_seed(seed), {[&] {
                                             ToyGuard guard(lock);
                                             word.store(1);
                                             ++shared;
                                           },
                                           [&] {
                                             ToyGuard guard(lock);
                                             ++shared;
                                             word.store(1);
                                             report(FindingKind::kRmap, "x");
                                           }});
    ASSERT_EQ(signature(finding), "rmap | x");
  }
}

TEST_F(TsanOnFibers, ManyRacesInOneRunAreAllSeenAgainInTheNext) {
  int shared[8] = {};
  for (int i = 0; i < 8; ++i) {
    const auto write = [&] {
      for (int word = i; word < 8; ++word) write_it(shared[word]);
    };
    const auto read = [&] {  // up to 8 reports before the run ends
      for (int word = i; word < 8; ++word) (void)read_it(shared[word]);
    };
    EXPECT_EQ(signature(run_tasks({}, {write, read})),
              "data-race | KCSAN: data-race in read_it / write_it");
  }
}

TEST_F(TsanOnFibers, NativeThreadsAreWatchedToo) {
  alignas(8) int shared = 0;
  alignas(8) Atomic<int> step{0};
  const auto body = [&] {
    write_it(shared);
    step.fetch_add(1, std::memory_order_relaxed);
  };
  const auto finding = run_threads({body, body});
  EXPECT_EQ(signature(finding), "data-race | KCSAN: data-race in write_it / write_it");
}

}  // namespace
}  // namespace racier
