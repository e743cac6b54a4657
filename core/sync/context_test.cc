// core/sync/context_test.cc - who may not sleep is told so.
#include "core/sync/context.h"

#include "core/sync/completion.h"
#include "core/sync/mutex.h"
#include "core/sync/rcu.h"
#include "core/sync/wait_queue.h"
#include "core/sync/worlds_test.h"

namespace racier {
namespace {

class ContextTest : public InEveryWorld {};
INSTANTIATE_TEST_SUITE_P(Worlds, ContextTest, testing::ValuesIn(kWorlds), world_name);

constexpr char kTitle[] = "BUG: sleeping function called from invalid context in ";

void allocates() { might_sleep(); }

TEST_P(ContextTest, SleepingIsFineOutsideOfAtomicContext) {
  EXPECT_EQ(run({[] { allocates(); }}), "");
  might_sleep();
}

TEST_P(ContextTest, NobodySleepsInsideASpinlock) {
  SpinLock lock(kLockA);
  const auto body = [&] {
    const SpinGuard guard(lock);
    allocates();
  };
  EXPECT_EQ(run({body}), kTitle + std::string("allocates"));
  EXPECT_EQ(kind(), FindingKind::kAtomicSleep);
  EXPECT_NE(finding()->detail.find("holds A (context_test.cc:"), std::string::npos)
      << finding()->detail;
  EXPECT_FALSE(lock.is_locked());
}

TEST_P(ContextTest, NobodySleepsInsideAReadSection) {
  for (const RcuFlavour flavour : {RcuFlavour::kClassic, RcuFlavour::kPreempt}) {
    Rcu rcu(flavour);
    const auto body = [&] {
      const RcuReadGuard guard(rcu);
      allocates();
    };
    EXPECT_EQ(run({body}), kTitle + std::string("allocates"));
  }
}

TEST_P(ContextTest, NobodySleepsWithPreemptionOff) {
  const auto body = [&] {
    preempt_disable();
    preempt_disable();
    preempt_enable();
    allocates();
  };
  EXPECT_EQ(run({body}), kTitle + std::string("allocates"));
}

// Each takes or waits for something that it would get at once.
struct Sleepers {
  RwSemaphore semaphore{kLockB};
  Mutex mutex{kLockB};
  WaitQueue queue{kQueueLock};
  Completion completion{kQueueLock};
  Rcu rcu{RcuFlavour::kClassic};
  Atomic<std::uint64_t> word{0};
};

TEST_P(ContextTest, SleepingPrimitivesSaySoEvenIfTheyNeedNotWait) {
  using Op = void (*)(Sleepers&);
  constexpr Op kOps[] = {
      [](Sleepers& s) { const ReadGuard guard(s.semaphore); },
      [](Sleepers& s) { const WriteGuard guard(s.semaphore); },
      [](Sleepers& s) { const MutexGuard guard(s.mutex); },
      [](Sleepers& s) { s.queue.wait([] { return true; }); },
      [](Sleepers& s) { s.queue.wait_exclusive([] { return true; }); },
      [](Sleepers& s) {
        static_cast<void>(s.queue.wait_interruptible([] { return true; }));
      },
      [](Sleepers& s) { s.completion.wait(); },
      [](Sleepers& s) { s.rcu.synchronize(); },
  };
  for (const Op op : kOps) {
    Sleepers sleepers;
    sleepers.completion.complete();
    SpinLock lock(kLockA);
    const auto body = [&] {
      const SpinGuard guard(lock);
      op(sleepers);
    };
    EXPECT_EQ(run({body}).substr(0, sizeof kTitle - 1), kTitle);
    const auto alone = [&] { op(sleepers); };
    EXPECT_EQ(run({alone}), "");
  }
}

}  // namespace
}  // namespace racier
