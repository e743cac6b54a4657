// core/sync/rw_semaphore_test.cc - readers together, writers alone, first come first
// served.
#include "core/sync/rw_semaphore.h"

#include <memory>

#include "core/sync/mutex.h"
#include "core/sync/worlds_test.h"

namespace racier {
namespace {

class RwSemaphoreTest : public InEveryWorld {};
INSTANTIATE_TEST_SUITE_P(Worlds, RwSemaphoreTest, testing::ValuesIn(kWorlds),
                         world_name);

class RwSemaphorePollTest : public InEveryWorld {};
INSTANTIATE_TEST_SUITE_P(Worlds, RwSemaphorePollTest, testing::ValuesIn(kPollingWorlds),
                         world_name);

void wait_for(const Atomic<int>& word, int value) {
  while (word.load() != value) word.wait_until_written();
}

TEST_P(RwSemaphoreTest, AWriterExcludesEverybody) {
  repeat([&] {
    RwSemaphore lock(kLockA);
    Tally tally;
    const auto writes = [&] {
      for (int i = 0; i < 10; ++i) {
        const WriteGuard guard(lock);
        tally.add_one();
      }
    };
    const auto reads = [&] {
      for (int i = 0; i < 10; ++i) {
        const ReadGuard guard(lock);
        const int seen = tally.value();
        pause_here();
        EXPECT_EQ(tally.value(), seen);
      }
    };
    EXPECT_EQ(run({writes, reads, writes, reads}), "");
    EXPECT_EQ(tally.value(), 20);
    EXPECT_FALSE(lock.is_locked());
    EXPECT_FALSE(lock.is_contended());
  });
}

// The reader that lets the writer in is done with the lock by then.
TEST_P(RwSemaphorePollTest, WhoeverGotItLastMayFreeIt) {
  repeat([&] {
    auto lock = std::make_unique<RwSemaphore>(kLockA);
    Atomic<int> inside{0};
    const auto reads = [&] {
      const ReadGuard guard(*lock);
      inside.fetch_add(1);
    };
    const auto frees = [&] {
      wait_for(inside, 1);
      { const WriteGuard guard(*lock); }
      lock.reset();
    };
    EXPECT_EQ(run({reads, frees}), "");
  });
}

TEST_P(RwSemaphoreTest, ReadersAreTogether) {
  repeat([&] {
    RwSemaphore lock(kLockA);
    Atomic<int> inside{0};
    const auto reads = [&] {
      const ReadGuard guard(lock);
      inside.fetch_add(1);
      wait_for(inside, 3);
    };
    EXPECT_EQ(run({reads, reads, reads}), "");
  });
}

TEST_P(RwSemaphorePollTest, NobodyOvertakesAWaitingWriter) {
  int waits_behind = 0;
  repeat([&] {
    RwSemaphore lock(kLockA);
    bool written = false;
    Atomic<int> behind{0};
    const auto writes = [&] {
      const WriteGuard guard(lock);
      written = true;
    };
    const auto reads = [&] {
      for (int i = 0; i < 20; ++i) {
        const bool must_wait = lock.is_contended();
        if (must_wait && lock.down_read_trylock()) {
          EXPECT_TRUE(written);
          lock.up_read();
        }
        const ReadGuard guard(lock);
        if (must_wait) {
          EXPECT_TRUE(written);
          behind.fetch_add(1);
        }
        pause_here();
      }
    };
    EXPECT_EQ(run({reads, reads, writes}), "");
    waits_behind += behind.load();
  });
  if (!native()) EXPECT_GT(waits_behind, 0);
}

// Run to block: each task stops where it must, and the next begins.
TEST(RwSemaphoreOrder, IsThatOfArrival) {
  RwSemaphore lock(kLockA);
  Log order;
  Atomic<int> go{0};
  Atomic<int> inside{0};
  const auto holds = [&] {
    const WriteGuard guard(lock);
    wait_for(go, 1);
  };
  const auto writes_as = [&](char name) {
    return [&, name] {
      const WriteGuard guard(lock);
      order.add(name);
    };
  };
  const auto reads_with_another = [&] {
    const ReadGuard guard(lock);
    order.add('r');
    inside.fetch_add(1);
    wait_for(inside, 2);
  };
  const auto lets_go = [&] { go.store(1); };
  const auto finding = run_tasks({}, {holds, writes_as('a'), reads_with_another,
                                      reads_with_another, writes_as('b'), lets_go});
  EXPECT_FALSE(finding) << finding->title;
  EXPECT_EQ(order.text(), "arrb");
}

TEST_P(RwSemaphoreTest, DowngradingLetsReadersInAndKeepsWritersOut) {
  repeat([&] {
    RwSemaphore lock(kLockA);
    Atomic<int> asking{-1};
    Atomic<int> inside{0};
    int value = 0;
    bool overwritten = false;
    const auto downgrades = [&] {
      WriteGuard guard(lock);
      asking.store(0);
      wait_for(asking, 2);
      value = 1;
      guard.downgrade();
      wait_for(inside, 2);
      EXPECT_FALSE(overwritten);
    };
    const auto reads = [&] {
      wait_for(asking, 0);
      asking.fetch_add(1);
      const ReadGuard guard(lock);
      if (!overwritten) EXPECT_EQ(value, 1);
      inside.fetch_add(1);
    };
    const auto reads_second = [&] {
      wait_for(asking, 1);
      asking.fetch_add(1);
      const ReadGuard guard(lock);
      if (!overwritten) EXPECT_EQ(value, 1);
      inside.fetch_add(1);
    };
    const auto writes_last = [&] {
      wait_for(inside, 2);
      const WriteGuard guard(lock);
      overwritten = true;
    };
    EXPECT_EQ(run({downgrades, reads, reads_second, writes_last}), "");
    EXPECT_TRUE(overwritten);
  });
}

TEST_P(RwSemaphoreTest, TryingNeverWaits) {
  RwSemaphore lock(kLockA);
  const auto body = [&]() NO_THREAD_SAFETY_ANALYSIS {
    EXPECT_TRUE(lock.down_read_trylock());
    EXPECT_FALSE(lock.down_write_trylock());
    lock.up_read();
    EXPECT_TRUE(lock.down_write_trylock());
    EXPECT_FALSE(lock.down_read_trylock());
    EXPECT_FALSE(lock.down_write_trylock());
    lock.assert_held();
    lock.assert_held_shared();
    lock.up_write();
  };
  EXPECT_EQ(run({body}), "");
}

TEST_P(RwSemaphoreTest, ARunThatIsOverLeavesNoneHeldAndNobodyWaiting) {
  repeat([&] {
    RwSemaphore lock(kLockA);
    const auto writes = [&] {
      for (int i = 0; i < 20; ++i) {
        const WriteGuard guard(lock);
        pause_here();
      }
    };
    const auto reads = [&] {
      for (int i = 0; i < 20; ++i) {
        const ReadGuard guard(lock);
        pause_here();
      }
    };
    const auto finds = [&] {
      const ReadGuard guard(lock);
      pause_here();
      report(FindingKind::kInvariant, "enough");
    };
    EXPECT_EQ(run({writes, reads, writes, finds}), "enough");
    EXPECT_FALSE(lock.is_locked());
    EXPECT_FALSE(lock.is_contended());
  });
}

// What two readers do is not ordered, whichever came first: TSan must say so on every
// schedule, also where the first has left before the second enters.
TEST_P(RwSemaphoreTest, ReadersThatWriteAreARaceOnEverySchedule) {
  if (!tsan_watches()) GTEST_SKIP() << "not built with ThreadSanitizer";
  int races = 0;
  int runs = 0;
  repeat([&] {
    RwSemaphore lock(kLockA);
    // Alone in its 8 bytes: TSan keeps four accesses for each 8, and might forget these.
    alignas(8) std::int64_t value = 0;
    const auto writes_as_reader = [&] {
      const ReadGuard guard(lock);
      value += 1;
    };
    run({writes_as_reader, writes_as_reader});
    ++runs;
    if (finding() && kind() == FindingKind::kDataRace) ++races;
  });
  if (!native()) EXPECT_EQ(races, runs);
}

TEST(RwSemaphoreAtRest, NeedsNoTask) {
  RwSemaphore lock(kLockA);
  const auto uses = [&]() NO_THREAD_SAFETY_ANALYSIS {
    lock.down_write();
    EXPECT_FALSE(lock.down_read_trylock());
    lock.downgrade_write();
    EXPECT_TRUE(lock.down_read_trylock());
    lock.up_read();
    lock.up_read();
  };
  uses();
  EXPECT_FALSE(lock.is_locked());
}

TEST_P(RwSemaphoreTest, AMutexExcludesOthers) {
  repeat([&] {
    Mutex lock(kLockA);
    Tally tally;
    const auto body = [&] {
      for (int i = 0; i < 20; ++i) {
        const MutexGuard guard(lock);
        lock.assert_held();
        tally.add_one();
      }
    };
    EXPECT_EQ(run({body, body, body}), "");
    EXPECT_EQ(tally.value(), 60);
    EXPECT_FALSE(lock.is_locked());
  });
}

}  // namespace
}  // namespace racier
