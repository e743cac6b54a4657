// stress/monitor_test.cc - tests of monitor.h, with tasks that are stuck for certain.
#include "stress/monitor.h"

#include <gtest/gtest.h>

#include <atomic>

#include "core/sync/spin_lock.h"

namespace racier::stress {
namespace {

using std::chrono::milliseconds;

constinit LockClass first_class("first");
constinit LockClass second_class("second");

MonitorOptions impatient() {
  MonitorOptions options;
  options.stuck_after = milliseconds(50);
  return options;
}

std::optional<Finding> run(NativeRuntime& runtime,
                           std::initializer_list<FunctionRef<void()>> bodies) {
  RunState state;
  runtime.run(state, bodies);
  return state.finding();
}

TEST(Monitor, EndsADeadlockOfSpinners) {
  NativeRuntime runtime;
  CallCounts counts;
  MonitorOptions options;
  options.stuck_after = milliseconds(500);  // the host may let one of them wait
  const Monitor monitor(runtime, counts, options);
  SpinLock first(first_class), second(second_class);
  std::atomic<int> have{0};
  const auto both = [&](SpinLock& outer, SpinLock& inner) NO_THREAD_SAFETY_ANALYSIS {
    const SpinGuard one(outer);
    ++have;
    while (have < 2) {
      counts.call_ends(current()->id + 1, 0);  // not stuck yet
      std::this_thread::yield();
    }
    const SpinGuard other(inner);
  };
  const auto finding =
      run(runtime, {[&] { both(first, second); }, [&] { both(second, first); }});
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->kind, FindingKind::kDeadlock);
  EXPECT_NE(finding->detail.find("a cycle of waiting:"), std::string::npos)
      << finding->detail;
  EXPECT_NE(finding->detail.find("task 0 spins in "), std::string::npos)
      << finding->detail;
  EXPECT_NE(finding->detail.find("task 1 spins in "), std::string::npos)
      << finding->detail;
  EXPECT_NE(finding->detail.find("holds first"), std::string::npos) << finding->detail;
}

TEST(Monitor, LetsOthersBe) {
  NativeRuntime runtime;
  CallCounts counts;
  MonitorOptions options = impatient();
  options.stuck_after = milliseconds(60000);
  const Monitor monitor(runtime, counts, options);
  EXPECT_EQ(run(runtime, {[&] { counts.call_ends(1, 0); }}), std::nullopt);
}

TEST(Monitor, TellsWhenARoundDoesNotEndAtAll) {
  NativeRuntime runtime;
  const CallCounts counts;
  MonitorOptions options = impatient();
  options.patience = milliseconds(50);
  std::atomic<int> hung{0};
  options.hung = [&](const Finding&) { ++hung; };
  const Monitor monitor(runtime, counts, options);
  // It takes no step, so it does not notice that the run is over.
  const auto finding = run(runtime, {[&] {
                             while (hung == 0) std::this_thread::yield();
                           }});
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, "BUG: soft lockup: no progress");
}

}  // namespace
}  // namespace racier::stress
