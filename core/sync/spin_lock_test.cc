// core/sync/spin_lock_test.cc - spinlocks, whole and of one bit.
#include "core/sync/spin_lock.h"

#include <new>

#include "core/sync/bit_spin_lock.h"
#include "core/sync/worlds_test.h"

namespace racier {
namespace {

class SpinLockTest : public InEveryWorld {};
INSTANTIATE_TEST_SUITE_P(Worlds, SpinLockTest, testing::ValuesIn(kWorlds), world_name);

TEST_P(SpinLockTest, ExcludesOthers) {
  repeat([&] {
    SpinLock lock(kLockA);
    Tally tally;
    const auto body = [&] {
      for (int i = 0; i < 20; ++i) {
        const SpinGuard guard(lock);
        tally.add_one();
      }
    };
    EXPECT_EQ(run({body, body, body}), "");
    EXPECT_EQ(tally.value(), 60);
    EXPECT_FALSE(lock.is_locked());
  });
}

TEST_P(SpinLockTest, TryTakesItOnlyIfItIsFree) {
  repeat([&] {
    SpinLock lock(kLockA);
    Tally tally;
    int taken[2] = {};
    const auto body_of = [&](int task) {
      return [&, task] {
        for (int i = 0; i < 20; ++i) {
          if (!lock.try_lock()) continue;
          const SpinGuard guard(lock, kAdopt);
          tally.add_one();
          ++taken[task];
        }
      };
    };
    EXPECT_EQ(run({body_of(0), body_of(1)}), "");
    EXPECT_EQ(tally.value(), taken[0] + taken[1]);
    EXPECT_GT(tally.value(), 0);
  });
}

TEST_P(SpinLockTest, AGuardLetsGoEarly) {
  SpinLock lock(kLockA);
  const auto body = [&] {
    SpinGuard guard(lock);
    EXPECT_TRUE(LockChecker::holds(&lock));
    lock.assert_held();
    guard.unlock();
    EXPECT_FALSE(lock.is_locked());
  };
  EXPECT_EQ(run({body}), "");
}

TEST_P(SpinLockTest, HoldingOneIsAtomicContext) {
  SpinLock lock(kLockA);
  const auto body = [&] {
    EXPECT_EQ(current()->preempt_count, 0);
    const SpinGuard guard(lock);
    EXPECT_EQ(current()->preempt_count, 1);
  };
  EXPECT_EQ(run({body}), "");
}

void takes(SpinLock& lock) NO_THREAD_SAFETY_ANALYSIS { lock.lock(); }

TEST_P(SpinLockTest, ADestroyedOneHasNoMagic) {
  alignas(SpinLock) unsigned char memory[sizeof(SpinLock)];
  auto* const lock = new (memory) SpinLock(kLockA);
  lock->~SpinLock();
  EXPECT_EQ(run({[&] { takes(*lock); }}), "BUG: spinlock bad magic in takes");
  EXPECT_EQ(kind(), FindingKind::kLockUse);
}

TEST_P(SpinLockTest, DestroyingAHeldOneIsAFinding) {
  const auto body = []() NO_THREAD_SAFETY_ANALYSIS {
    SpinLock lock(kLockA);
    lock.lock();
  };
  EXPECT_EQ(run({body}), "BUG: held lock freed: A");
}

TEST_P(SpinLockTest, ARunThatIsOverLeavesNoneHeld) {
  repeat([&] {
    SpinLock lock(kLockA);
    SpinLock other(kLockB);
    const auto works = [&] {
      for (int i = 0; i < 20; ++i) {
        const SpinGuard guard(lock);
        const SpinGuard inner(other);
        pause_here();
      }
    };
    const auto finds = [&] {
      const SpinGuard guard(lock);
      pause_here();
      report(FindingKind::kInvariant, "enough");
    };
    EXPECT_EQ(run({works, works, finds}), "enough");
    EXPECT_FALSE(lock.is_locked());
    EXPECT_FALSE(other.is_locked());
  });
}

TEST(SpinLockAtRest, NeedsNoTask) {
  SpinLock lock(kLockA);
  lock.lock();
  EXPECT_TRUE(lock.is_locked());
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  EXPECT_FALSE(lock.is_locked());
}

TEST_P(SpinLockTest, OneBitExcludesOthersAndLeavesTheOtherBitsAlone) {
  repeat([&] {
    Atomic<std::uint64_t> word{0};
    Tally tally;
    const auto body_of = [&](int own_bit) {
      return [&, own_bit] {
        for (int i = 0; i < 10; ++i) {
          bit_spin_lock(word, 3, kLockA);
          tally.add_one();
          bit_spin_unlock(word, 3, kLockA);
          word.fetch_or(1ull << own_bit);
          EXPECT_NE(word.load() & 1ull << own_bit, 0u);
          word.fetch_and(~(1ull << own_bit));
        }
      };
    };
    EXPECT_EQ(run({body_of(0), body_of(1), body_of(63)}), "");
    EXPECT_EQ(tally.value(), 30);
    EXPECT_EQ(word.load(), 0u);
  });
}

TEST_P(SpinLockTest, OneBitCanBeTried) {
  Atomic<std::uint64_t> word{4};
  const auto body = [&] {
    EXPECT_FALSE(bit_spin_trylock(word, 2, kLockA));
    ASSERT_TRUE(bit_spin_trylock(word, 5, kLockA));
    EXPECT_EQ(current()->preempt_count, 1);
    bit_spin_unlock(word, 5, kLockA);
    EXPECT_EQ(current()->preempt_count, 0);
  };
  EXPECT_EQ(run({body}), "");
}

}  // namespace
}  // namespace racier
