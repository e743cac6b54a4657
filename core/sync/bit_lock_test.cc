// core/sync/bit_lock_test.cc - the page lock.
#include "core/sync/bit_lock.h"

#include "core/sync/worlds_test.h"

namespace racier {
namespace {

class BitLockTest : public InEveryWorld {};
INSTANTIATE_TEST_SUITE_P(Worlds, BitLockTest, testing::ValuesIn(kWorlds), world_name);

TEST_P(BitLockTest, ExcludesOthersThoughTheQueueIsShared) {
  repeat([&] {
    Atomic<std::uint64_t> words[2] = {Atomic<std::uint64_t>(2),
                                      Atomic<std::uint64_t>(0)};
    WaitQueue queue(kQueueLock);
    Tally tallies[2];
    const auto body_of = [&](int which) {
      return [&, which] {
        for (int i = 0; i < 10; ++i) {
          bit_lock(words[which], 0, queue, kLockA);
          tallies[which].add_one();
          bit_unlock(words[which], 0, queue, kLockA);
        }
      };
    };
    EXPECT_EQ(run({body_of(0), body_of(1), body_of(0), body_of(1), body_of(0)}), "");
    EXPECT_EQ(tallies[0].value(), 30);
    EXPECT_EQ(tallies[1].value(), 20);
    EXPECT_EQ(words[0].load(), 2u);
    EXPECT_EQ(words[1].load(), 0u);
    EXPECT_FALSE(queue.active());
  });
}

TEST_P(BitLockTest, TryingNeverWaits) {
  Atomic<std::uint64_t> word{0};
  WaitQueue queue(kQueueLock);
  const auto body = [&] {
    ASSERT_TRUE(bit_trylock(word, 7, kLockA));
    EXPECT_EQ(current()->preempt_count, 0);
    EXPECT_FALSE(bit_trylock(word, 7, kLockA));
    bit_unlock(word, 7, queue, kLockA);
    EXPECT_EQ(word.load(), 0u);
  };
  EXPECT_EQ(run({body}), "");
}

TEST_P(BitLockTest, WaitingSeesWhatTheHolderDid) {
  repeat([&] {
    Atomic<std::uint64_t> word{0};
    WaitQueue queue(kQueueLock);
    int value = 0;
    Atomic<int> locked{0};
    const auto holds = [&] {
      bit_lock(word, 0, queue, kLockA);
      locked.store(1);
      pause_here();
      value = 1;
      bit_unlock(word, 0, queue, kLockA);
    };
    const auto waits = [&] {
      while (locked.load() == 0) locked.wait_until_written();
      bit_wait(word, 0, queue);
      EXPECT_EQ(value, 1);
    };
    EXPECT_EQ(run({holds, waits, waits}), "");
  });
}

// Run to block: each task stops where it must, and the next begins.  Whoever waits for
// the first word is older on the queue, and must not swallow the wake of the second.
TEST(BitLockQueue, LettingGoWakesWhoWaitsForThatLock) {
  Atomic<std::uint64_t> words[2];
  WaitQueue queue(kQueueLock);
  Atomic<int> served{0};
  const auto holds_first = [&] {
    bit_lock(words[0], 0, queue, kLockA);
    while (served.load() != 1) served.wait_until_written();
    bit_unlock(words[0], 0, queue, kLockA);
  };
  const auto wants = [&](int which) {
    return [&, which] {
      bit_lock(words[which], 0, queue, kLockA);
      served.fetch_add(1);
      bit_unlock(words[which], 0, queue, kLockA);
    };
  };
  Atomic<int> go{0};
  const auto holds_second = [&] {
    bit_lock(words[1], 0, queue, kLockA);
    while (go.load() != 1) go.wait_until_written();
    bit_unlock(words[1], 0, queue, kLockA);
  };
  const auto finding = run_tasks(
      {}, {holds_first, holds_second, wants(0), wants(1), [&] { go.store(1); }});
  EXPECT_FALSE(finding) << finding->title;
  EXPECT_EQ(served.load(), 2);
}

TEST(BitLockAtRest, NeedsNoTask) {
  Atomic<std::uint64_t> word{0};
  WaitQueue queue(kQueueLock);
  bit_lock(word, 0, queue, kLockA);
  EXPECT_FALSE(bit_trylock(word, 0, kLockA));
  bit_unlock(word, 0, queue, kLockA);
  bit_wait(word, 0, queue);
}

}  // namespace
}  // namespace racier
