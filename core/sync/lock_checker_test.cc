// core/sync/lock_checker_test.cc - lock bugs are found where they did no harm this
// time.
#include "core/sync/lock_checker.h"

#include <memory>
#include <vector>

#include "core/sync/context.h"
#include "core/sync/mutex.h"
#include "core/sync/worlds_test.h"

namespace racier {
namespace {

class LockCheckerTest : public InEveryWorld {
 protected:
  Mutex a{kLockA};
  Mutex b{kLockB};
  Mutex c{kLockC};
};
INSTANTIATE_TEST_SUITE_P(Worlds, LockCheckerTest, testing::ValuesIn(kWorlds),
                         world_name);

constexpr char kAbba[] = "WARNING: possible circular locking dependency: A -> B -> A";

TEST_P(LockCheckerTest, FindsAnInversionWithoutADeadlock) {
  const auto body = [&] {
    {
      const MutexGuard outer(a);
      const MutexGuard inner(b);
    }
    const MutexGuard outer(b);
    const MutexGuard inner(a);
  };
  EXPECT_EQ(run({body}), kAbba);
  EXPECT_EQ(kind(), FindingKind::kLockOrder);
  EXPECT_NE(finding()->detail.find("B -> A: held since lock_checker_test.cc:"),
            std::string::npos)
      << finding()->detail;
  EXPECT_FALSE(a.is_locked() || b.is_locked());
}

TEST_P(LockCheckerTest, ATitleDoesNotDependOnWhoClosedTheCycle) {
  repeat([&] {
    const auto body_of = [&](Mutex& outer, Mutex& inner) {
      return [&] {
        const MutexGuard guard(outer);
        const MutexGuard other(inner);
      };
    };
    EXPECT_EQ(run({body_of(a, b), body_of(b, c), body_of(c, a)}),
              "WARNING: possible circular locking dependency: A -> B -> C -> A");
  });
}

TEST_P(LockCheckerTest, ACycleIsTheShortest) {
  const auto body = [&] {
    {
      const MutexGuard x(a);
      const MutexGuard y(b);
      const MutexGuard z(c);
    }
    const MutexGuard z(c);
    const MutexGuard x(a);
  };
  EXPECT_EQ(run({body}), "WARNING: possible circular locking dependency: A -> C -> A");
}

TEST_P(LockCheckerTest, ATriedLockOrdersNothingButWhatIsTakenInsideOfIt) {
  const auto tries_the_other_way = [&] {
    {
      const MutexGuard outer(a);
      const MutexGuard inner(b);
    }
    const MutexGuard outer(b);
    if (a.try_lock()) a.unlock();
  };
  EXPECT_EQ(run({tries_the_other_way}), "");
  const auto takes_inside_of_a_tried_one = [&] {
    if (a.try_lock()) {
      const MutexGuard outer(a, kAdopt);
      const MutexGuard inner(b);
    }
    const MutexGuard outer(b);
    const MutexGuard inner(a);
  };
  EXPECT_EQ(run({takes_inside_of_a_tried_one}), kAbba);
}

TEST_P(LockCheckerTest, TwoOfAClassAreRecursionUnlessNested) {
  Mutex another{kLockA};
  const auto twice = [&] {
    const MutexGuard outer(a);
    const MutexGuard inner(another);
  };
  EXPECT_EQ(run({twice}), "WARNING: possible recursive locking detected: A");
  EXPECT_EQ(kind(), FindingKind::kLockUse);
  const auto nested = [&] {
    const MutexGuard outer(a);
    const MutexGuard inner(another, 1);
  };
  EXPECT_EQ(run({nested}), "");
  const auto same = [&]() NO_THREAD_SAFETY_ANALYSIS {
    a.lock();
    a.lock(1);
  };
  EXPECT_EQ(run({same}), "WARNING: possible recursive locking detected: A");
}

TEST_P(LockCheckerTest, ReadingTwiceIsRecursion) {
  RwSemaphore lock(kLockA);
  const auto body = [&]() NO_THREAD_SAFETY_ANALYSIS {
    lock.down_read();
    lock.down_read();
  };
  EXPECT_EQ(run({body}), "WARNING: possible recursive locking detected: A");
}

TEST_P(LockCheckerTest, LettingGoOfWhatIsNotHeldIsAFinding) {
  constexpr char kTitle[] = "WARNING: bad unlock balance detected: A";
  EXPECT_EQ(run({[&]() NO_THREAD_SAFETY_ANALYSIS { a.unlock(); }}), kTitle);
  RwSemaphore lock(kLockA);
  const auto other_mode = [&]() NO_THREAD_SAFETY_ANALYSIS {
    lock.down_read();
    lock.up_write();
  };
  EXPECT_EQ(run({other_mode}), kTitle);
  EXPECT_EQ(kind(), FindingKind::kLockUse);
}

TEST_P(LockCheckerTest, DowngradingAReadLockIsAFinding) {
  RwSemaphore lock(kLockA);
  const auto body = [&]() NO_THREAD_SAFETY_ANALYSIS {
    lock.down_read();
    lock.downgrade_write();
  };
  EXPECT_EQ(run({body}), "WARNING: bad downgrade detected: A");
}

TEST_P(LockCheckerTest, LocksAreLetGoInAnyOrder) {
  const auto body = [&] {
    a.lock();
    b.lock();
    c.lock();
    a.unlock();
    c.unlock();
    EXPECT_TRUE(LockChecker::holds(current()->held[0].lock));
    b.unlock();
    EXPECT_EQ(current()->held_count, 0);
  };
  EXPECT_EQ(run({body}), "");
}

TEST_P(LockCheckerTest, ATaskThatEndsHoldsNothing) {
  EXPECT_EQ(run({[&]() NO_THREAD_SAFETY_ANALYSIS { a.lock(); }}),
            "WARNING: lock held when returning to user space: A");
  EXPECT_EQ(run({[&] { preempt_disable(); }}),
            "WARNING: lock held when returning to user space: preempt_disable");
}

TEST_P(LockCheckerTest, AMissingLockIsAFinding) {
  struct Guarded {
    static void touch(const Mutex& lock) { lock.assert_held(); }
  };
  EXPECT_EQ(run({[&] { Guarded::touch(a); }}), "WARNING: lock is not held: A in touch");
  RwSemaphore lock(kLockA);
  const auto reads = [&] {
    const ReadGuard guard(lock);
    lock.assert_held_shared();
    lock.assert_held();
  };
  EXPECT_EQ(run({reads}).substr(0, 28), "WARNING: lock is not held: A");
}

TEST_P(LockCheckerTest, TooManyLocksAreAFinding) {
  std::vector<std::unique_ptr<SpinLock>> locks;
  for (int i = 0; i <= kHeldLocksMax; ++i)
    locks.push_back(std::make_unique<SpinLock>(kLockA));
  const auto body = [&]() NO_THREAD_SAFETY_ANALYSIS {
    for (auto& lock : locks) lock->lock(1);
  };
  EXPECT_EQ(run({body}), "BUG: MAX_LOCK_DEPTH too low!");
}

TEST_P(LockCheckerTest, APlaceCanBeALock) {
  static constexpr LockClass kReclaim{"fs_reclaim", 9};
  const auto body = [&] {
    {
      const MutexGuard outer(a);
      lock_map_acquire(kReclaim);
      lock_map_release(kReclaim);
    }
    lock_map_acquire(kReclaim);
    const MutexGuard inner(a);
  };
  EXPECT_EQ(run({body}),
            "WARNING: possible circular locking dependency: A -> fs_reclaim -> A");
}

TEST_P(LockCheckerTest, WithoutACheckerLocksAreKeptButNotJudged) {
  unchecked();
  const auto body = [&]() NO_THREAD_SAFETY_ANALYSIS {
    {
      const MutexGuard outer(a);
      const MutexGuard inner(b);
      EXPECT_EQ(current()->held_count, 2);
    }
    const MutexGuard outer(b);
    const MutexGuard inner(a);
    c.lock();
  };
  EXPECT_EQ(run({body}), "");
}

TEST(LockCheckerOrder, StartsFromTheDocumentedOneAndWhatFollowsFromIt) {
  const LockOrder documented[] = {{&kLockA, &kLockB}, {&kLockB, &kLockC}};
  LockChecker checker(documented);
  for (int i = 0; i < 2; ++i) {
    checker.reset();
    RunState run;
    run.lock_checker = &checker;
    Mutex a(kLockA);
    Mutex c(kLockC);
    const auto finding = run_alone(run, [&] {
      const MutexGuard outer(c);
      const MutexGuard inner(a);
    });
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->title,
              "WARNING: possible circular locking dependency: A -> C -> A");
    EXPECT_NE(finding->detail.find("A -> C: the documented order"), std::string::npos)
        << finding->detail;
  }
}

TEST(LockCheckerOrder, ForgetsWhatARunHasShown) {
  LockChecker checker;
  RunState run;
  run.lock_checker = &checker;
  Mutex a(kLockA);
  Mutex b(kLockB);
  const auto takes = [](Mutex& outer, Mutex& inner) {
    return [&] {
      const MutexGuard guard(outer);
      const MutexGuard other(inner);
    };
  };
  EXPECT_FALSE(run_alone(run, takes(a, b)));
  checker.reset();
  EXPECT_FALSE(run_alone(run, takes(b, a)));
  EXPECT_TRUE(run_alone(run, takes(a, b)));
}

// The harm itself, on fibers: with no checker to warn of it.
TEST(LockCheckerOrder, AnInversionDoesDeadlock) {
  int deadlocks = 0;
  for (int seed = 0; seed < 100; ++seed) {
    SpinLock a(kLockA);
    SpinLock b(kLockB);
    const auto takes = [](SpinLock& outer, SpinLock& inner) {
      return [&] {
        const SpinGuard guard(outer);
        const SpinGuard other(inner);
      };
    };
    const auto finding = run_tasks(random_walk_seed(seed), {takes(a, b), takes(b, a)});
    if (finding && finding->kind == FindingKind::kDeadlock) ++deadlocks;
    EXPECT_FALSE(a.is_locked() || b.is_locked());
  }
  EXPECT_GT(deadlocks, 0);
  EXPECT_LT(deadlocks, 100);
}

}  // namespace
}  // namespace racier
