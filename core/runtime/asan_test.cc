// core/runtime/asan_test.cc - what AddressSanitizer sees on fibers: every bad access,
// and nothing else.
#include <gtest/gtest.h>

#include "core/runtime/run_alone.h"
#include "core/runtime/sanitizers.h"
#include "core/runtime/toys_test.h"

namespace racier {
namespace {

using toys::signature;
using toys::ToyGuard;
using toys::ToyLock;

class AsanOnFibers : public testing::Test {
 protected:
  void SetUp() override {
    if (!sanitizers::asan()) GTEST_SKIP() << "not built with AddressSanitizer";
  }
};

__attribute__((noinline)) int read_it(const volatile int& at) { return at; }

TEST_F(AsanOnFibers, AHeapUseAfterFreeAcrossTasksIsAFinding) {
  for (int i = 0; i < 5; ++i) {  // again and again, in one process
    int* const shared = new int(0);
    const auto finding =
        run_tasks({}, {[&] { delete shared; }, [&] { (void)read_it(*shared); }});
    EXPECT_EQ(signature(finding), "use-after-free | KASAN: use-after-free in read_it");
    EXPECT_EQ(finding->task, 1);
  }
}

TEST_F(AsanOnFibers, AnOverflowIsAFinding) {
  int* const shared = new int[4];
  const auto finding = run_alone([&] { (void)read_it(shared[4]); });
  EXPECT_EQ(signature(finding),
            "sanitizer | KASAN: slab-out-of-bounds Read in read_it");
  delete[] shared;
}

TEST_F(AsanOnFibers, ADeadFrameOfAnotherTaskIsAFinding) {
  volatile int* volatile local = nullptr;
  const auto finding = run_tasks({}, {[&] {
                                        [&] {
                                          volatile int dead = 1;
                                          local = &dead;
                                        }();
                                      },
                                      [&] { (void)read_it(*local); }});
  EXPECT_EQ(signature(finding),
            "sanitizer | KASAN: stack-use-after-return Read in read_it");
}

TEST_F(AsanOnFibers, ALivingFrameOfAnotherTaskIsFine) {
  Atomic<const volatile int*> local{nullptr};
  for (int seed = 0; seed < 50; ++seed) {
    local.store(nullptr);
    Atomic<bool> done{false};
    EXPECT_EQ(signature(run_tasks(random_walk_seed(seed),
                                  {[&] {
                                     volatile int living = 1;
                                     local.store(&living);
                                     while (!done.load()) done.wait_until_written();
                                   },
                                   [&] {
                                     while (local.load() == nullptr) {
                                       local.wait_until_written();
                                     }
                                     EXPECT_EQ(read_it(*local.load()), 1);
                                     done.store(true);
                                   }})),
              "clean");
  }
}

// Frames of many sizes, with a step in each.
__attribute__((noinline)) void descend(int depth, Atomic<int>& word) {
  volatile char frame[64];
  frame[depth % 64] = 1;
  word.fetch_add(1);
  if (depth > 0) descend(depth - 1, word);
  frame[0] = frame[depth % 64];
}

TEST_F(AsanOnFibers, AbortedRunsLeaveNoPoisonOnTheStacks) {
  Atomic<int> word{0};
  for (int seed = 0; seed < 500; ++seed) {
    ToyLock lock;
    const auto body = [&] {
      const ToyGuard guard(lock);
      descend(seed % 40, word);
      if (current()->id == 1) report(FindingKind::kRmap, "enough");
      descend(40, word);
    };
    const auto aborted = run_tasks(random_walk_seed(seed), {body, body, body});
    ASSERT_EQ(signature(aborted), "rmap | enough");
    const auto deeper = [&] { descend(60, word); };
    ASSERT_EQ(signature(run_tasks(random_walk_seed(seed), {deeper, deeper, deeper})),
              "clean");
  }
}

TEST_F(AsanOnFibers, AReportOutsideOfARunEndsTheProcess) {
  EXPECT_DEATH(
      {
        int* const dead = new int(0);
        delete dead;
        (void)read_it(*dead);
      },
      "heap-use-after-free");
}

}  // namespace
}  // namespace racier
