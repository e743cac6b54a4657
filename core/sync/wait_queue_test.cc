// core/sync/wait_queue_test.cc - no wake is lost, and no more wake than should.
#include "core/sync/wait_queue.h"

#include <optional>

#include "core/sync/completion.h"
#include "core/sync/worlds_test.h"

namespace racier {
namespace {

class WaitQueueTest : public InEveryWorld {};
INSTANTIATE_TEST_SUITE_P(Worlds, WaitQueueTest, testing::ValuesIn(kWorlds), world_name);

TEST_P(WaitQueueTest, NoWakeIsLost) {
  repeat([&] {
    WaitQueue queue(kQueueLock);
    Atomic<int> turn{0};
    const auto plays = [&](int side) {
      return [&, side] {
        for (int i = 0; i < 10; ++i) {
          queue.wait([&] { return turn.load() % 2 == side; });
          turn.fetch_add(1);
          queue.wake();
        }
      };
    };
    EXPECT_EQ(run({plays(0), plays(1)}), "");
    EXPECT_EQ(turn.load(), 20);
    EXPECT_FALSE(queue.active());
  });
}

// The waker looks before it wakes: right with a full barrier between, which a
// sequentially consistent read-modify-write is.
TEST_P(WaitQueueTest, NoWakeIsLostByWhoLooksFirst) {
  repeat([&] {
    WaitQueue queue(kQueueLock);
    Atomic<int> done{0};
    const auto waits = [&] {
      queue.wait([&] { return done.load(std::memory_order_seq_cst) == 1; });
    };
    const auto wakes = [&] {
      done.fetch_add(1, std::memory_order_seq_cst);
      if (queue.active_raw()) queue.wake();
    };
    EXPECT_EQ(run({waits, wakes}), "");
  });
}

TEST_P(WaitQueueTest, AWakeWakesOneExclusiveWaiter) {
  repeat([&] {
    WaitQueue queue(kQueueLock);
    Atomic<int> permits{0};
    Atomic<int> asked{0};
    const auto takes_one = [&] {
      queue.wait_exclusive([&] {
        asked.fetch_add(1);
        int seen = permits.load();
        while (seen > 0 && !permits.compare_exchange(seen, seen - 1)) {
        }
        return seen > 0;
      });
    };
    const auto gives_two = [&] {
      for (int i = 0; i < 2; ++i) {
        permits.fetch_add(1);
        queue.wake();
      }
    };
    EXPECT_EQ(run({takes_one, takes_one, gives_two}), "");
    EXPECT_EQ(permits.load(), 0);
    // Before the queue, on it, and after the one wake that was meant for it.
    EXPECT_LE(asked.load(), 6);
  });
}

// Run to block: each task stops where it must, and the next begins.
TEST(WaitQueueOrder, ExclusiveWaitersAreWokenOneByOneAndOthersAllAtOnce) {
  WaitQueue queue(kQueueLock);
  Log order;
  Atomic<bool> open{false};
  const auto waits_as = [&](char name, bool exclusive) {
    return [&, name, exclusive] {
      if (exclusive) {
        queue.wait_exclusive([&] { return open.load(); });
      } else {
        queue.wait([&] { return open.load(); });
      }
      order.add(name);
      if (!exclusive) return;
      EXPECT_EQ(queue.active(), name == 'a') << "the other one was woken too";
      queue.wake();
    };
  };
  const auto opens = [&] {
    open.store(true);
    queue.wake();
    order.add('|');
  };
  const auto finding =
      run_tasks({}, {waits_as('a', true), waits_as('b', false), waits_as('c', false),
                     waits_as('d', true), opens});
  EXPECT_FALSE(finding) << finding->title;
  EXPECT_EQ(order.text(), "|abcd");
}

TEST(WaitQueueOrder, AWakeWithAKeyPassesOverOthers) {
  WaitQueue queue(kQueueLock);
  int words[2] = {};
  Log order;
  Atomic<bool> open[2];
  const auto waits_for = [&](int which) {
    return [&, which] {
      queue.wait_exclusive([&] { return open[which].load(); },
                           std::source_location::current(), {&words[which], 0});
      order.add(static_cast<char>('0' + which));
    };
  };
  const auto opens = [&] {
    open[0].store(true);
    open[1].store(true);
    queue.wake(1, std::source_location::current(), {&words[1], 1});
    EXPECT_TRUE(queue.active());
    queue.wake(1, std::source_location::current(), {&words[1], 0});
    order.add('|');
    pause_here();
    queue.wake_all();
  };
  const auto finding = run_tasks({}, {waits_for(0), waits_for(1), opens});
  EXPECT_FALSE(finding) << finding->title;
  EXPECT_EQ(order.text(), "|01");
}

TEST_P(WaitQueueTest, ASignalInterrupts) {
  repeat([&] {
    WaitQueue queue(kQueueLock);
    Status status = Status::kOk;
    const auto waits = [&] {
      status = queue.wait_interruptible([] {
        pause_here();
        return false;
      });
    };
    const auto signals = [&] { interrupt(runtime().task(0)); };
    EXPECT_EQ(run({waits, signals}), "");
    EXPECT_EQ(status, Status::kInterrupted);
    EXPECT_FALSE(queue.active());
  });
}

TEST_P(WaitQueueTest, ASignalDoesNotInterruptWhatIsTrue) {
  repeat([&] {
    WaitQueue queue(kQueueLock);
    Status status = Status::kInterrupted;
    const auto waits = [&] {
      interrupt(*current());
      status = queue.wait_interruptible([] { return true; });
    };
    EXPECT_EQ(run({waits}), "");
    EXPECT_EQ(status, Status::kOk);
  });
}

TEST_P(WaitQueueTest, ARunThatIsOverLeavesNobodyWaiting) {
  repeat([&] {
    WaitQueue queue(kQueueLock);
    const auto waits = [&] {
      for (int i = 0;; ++i) {
        queue.wait([&] {
          pause_here();
          return i++ % 3 == 2;
        });
      }
    };
    const auto finds = [&] {
      for (int i = 0; i < 5; ++i) {
        queue.wake();
        pause_here();
      }
      report(FindingKind::kInvariant, "enough");
    };
    EXPECT_EQ(run({waits, finds, waits}), "enough");
    EXPECT_FALSE(queue.active());
  });
}

TEST_P(WaitQueueTest, ACompletionWaitsForItsEvent) {
  repeat([&] {
    Completion done(kLockA);
    int value = 0;
    const auto waits = [&] {
      done.wait();
      EXPECT_EQ(value, 1);
    };
    const auto completes = [&] {
      value = 1;
      done.complete();
      done.complete();
    };
    EXPECT_EQ(run({waits, completes, waits}), "");
  });
}

TEST_P(WaitQueueTest, ACompletionForAllIsForWhoComesLaterToo) {
  repeat([&] {
    Completion done(kLockA);
    const auto waits = [&] {
      done.wait();
      done.wait();
    };
    const auto completes = [&] { done.complete_all(); };
    EXPECT_EQ(run({waits, completes, waits, waits}), "");
  });
}

TEST_P(WaitQueueTest, ACompletionMayDieWithItsWait) {
  repeat([&] {
    Atomic<Completion*> shared{nullptr};
    const auto waits = [&] {
      std::optional<Completion> done(kLockA);
      shared.store(&*done);
      done->wait();
      done.reset();
    };
    const auto completes = [&] {
      while (shared.load() == nullptr) shared.wait_until_written();
      shared.load()->complete();
    };
    EXPECT_EQ(run({waits, completes}), "");
  });
}

}  // namespace
}  // namespace racier
