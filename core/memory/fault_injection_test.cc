// core/memory/fault_injection_test.cc
#include "core/memory/fault_injection.h"

#include <gtest/gtest.h>

#include <string>

#include "core/runtime/fiber_runtime.h"
#include "core/runtime/run_alone.h"
#include "core/sync/atomic.h"
#include "core/sync/interlock.h"

namespace racier {
namespace {

// Runs two tasks, of `first` and `second` allocations; each allocation is a letter of
// the result, in the order in which they were asked: a capital one failed.
std::string run(AllocFailures& failures, int first, int second,
                Schedule schedule = {}) {
  std::string seen;
  Interlock lock;  // of `seen`: that fibers run in turn orders nothing
  Atomic<int> word(0);
  const auto allocate = [&](int count, char letter) {
    for (int i = 0; i < count; ++i) {
      word.load();
      const InterlockGuard guard(lock);
      seen += should_fail() ? static_cast<char>(letter - 'a' + 'A') : letter;
    }
  };
  const auto a = [&] { allocate(first, 'a'); };
  const auto b = [&] { allocate(second, 'b'); };
  const FunctionRef<void()> bodies[] = {a, b};
  RunState state;
  state.alloc_failures = &failures;
  FiberRuntime(schedule).run(state, bodies);
  EXPECT_FALSE(state.finding());
  return seen;
}

TEST(AllocFailures, AreCountedOverAllTasks) {
  AllocFailures failures;
  failures.begin({}, false);
  EXPECT_EQ(run(failures, 2, 3), "aabbb");
  EXPECT_EQ(failures.asked(), 5u);
  EXPECT_FALSE(failures.struck());
}

TEST(AllocFailures, StrikeOnceOrOnwards) {
  AllocFailures failures;
  failures.begin({.nth = 2}, false);
  EXPECT_EQ(run(failures, 2, 3), "aAbbb");
  failures.begin({.nth = 2, .onwards = true}, false);
  EXPECT_EQ(run(failures, 2, 3), "aABBB");
  failures.begin({.nth = 6, .onwards = true}, false);
  EXPECT_EQ(run(failures, 2, 3), "aabbb");
  EXPECT_FALSE(failures.struck());
}

TEST(AllocFailures, SayWhichCallTheyStruck) {
  AllocFailures failures;
  failures.begin({.nth = 4}, false);
  failures.begin_call(0, 7);
  failures.begin_call(1, 9);
  EXPECT_EQ(run(failures, 2, 3), "aabBb");
  ASSERT_TRUE(failures.struck());
  EXPECT_EQ(failures.struck()->call, 9u);
  EXPECT_EQ(failures.struck()->nth, 2u);
}

TEST(AllocFailures, FollowTheSchedule) {
  AllocFailures failures;
  failures.begin({.nth = 3}, false);
  Schedule schedule{.strategy = StrategyKind::kReplay,
                    .overrides = {},
                    .switches = {{0, 2, 1}},
                    .choices = {}};
  EXPECT_EQ(run(failures, 2, 3, schedule), "abBba");
}

TEST(AllocFailures, AreChosen) {
  AllocFailures failures;
  failures.begin({}, true);
  EXPECT_EQ(run(failures, 2, 3), "aabbb");  // the usual choice
  Schedule schedule{.strategy = StrategyKind::kReplay,
                    .overrides = {},
                    .switches = {},
                    .choices = {{1, 1, 1}, {1, 2, 1}, {1, 3, 1}}};
  EXPECT_EQ(run(failures, 2, 3, schedule), "aabBb");
  int failed = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const std::string seen = run(failures, 2, 3, random_walk_seed(seed));
    for (const char letter : seen) failed += letter < 'a' ? 1 : 0;
  }
  EXPECT_GT(failed, 30);
  EXPECT_LT(failed, 110);
}

TEST(AllocFailures, AddToThoseOfATask) {
  AllocFailures failures;
  failures.begin({.nth = 1}, false);
  std::string seen;
  const auto body = [&] {
    current()->fail_nth = 2;
    for (int i = 0; i < 3; ++i) seen += should_fail() ? 'A' : 'a';
  };
  const FunctionRef<void()> bodies[] = {body};
  RunState state;
  state.alloc_failures = &failures;
  FiberRuntime().run(state, bodies);
  EXPECT_EQ(seen, "AAa");
}

}  // namespace
}  // namespace racier
