// core/sync/rcu_test.cc - a grace period waits for readers, for all of them and for no
// others.
#include "core/sync/rcu.h"

#include "core/sync/context.h"
#include "core/sync/spin_lock.h"
#include "core/sync/worlds_test.h"

namespace racier {
namespace {

class RcuTest : public InEveryWorld {};
INSTANTIATE_TEST_SUITE_P(Worlds, RcuTest, testing::ValuesIn(kWorlds), world_name);

constexpr RcuFlavour kFlavours[] = {RcuFlavour::kClassic, RcuFlavour::kPreempt};

// An object that is free once `alive` is false.
struct Object {
  bool alive = true;
  int value = 1;
};

// Readers of a pointer, and one who replaces it and frees the old one after a grace
// period.
struct Replaced {
  Object objects[2];
  Atomic<Object*> current{&objects[0]};

  void read() {
    const Object* const object = current.load(std::memory_order_acquire);
    pause_here();
    EXPECT_TRUE(object->alive);
    pause_here();
    EXPECT_EQ(object->value, 1);
  }
  Object& replace() {
    current.store(&objects[1], std::memory_order_release);
    return objects[0];
  }
};

void free_it(Object& object) {
  object.alive = false;
  object.value = 0;
}

TEST_P(RcuTest, AGracePeriodWaitsForReaders) {
  for (const RcuFlavour flavour : kFlavours) {
    repeat([&] {
      Rcu rcu(flavour);
      Replaced replaced;
      const auto reads = [&] {
        for (int i = 0; i < 3; ++i) {
          const RcuReadGuard outer(rcu);
          const RcuReadGuard inner(rcu);
          EXPECT_TRUE(rcu.read_held());
          replaced.read();
        }
        EXPECT_FALSE(rcu.read_held());
      };
      const auto frees = [&] {
        Object& old = replaced.replace();
        rcu.synchronize();
        free_it(old);
      };
      EXPECT_EQ(run({reads, frees, reads}), "");
    });
  }
}

// Returns in how many runs a free after a grace period met a reader inside a spinlock.
template <typename Run>
int met_readers_in_spinlocks(RcuFlavour flavour, Run run) {
  int met = 0;
  for (int seed = 0; seed < 200; ++seed) {
    Rcu rcu(flavour);
    Atomic<int> freed{0};
    SpinLock lock(kLockA);
    Atomic<int> unlinked{0};
    const auto reads = [&] {
      const SpinGuard guard(lock);
      const bool reachable = unlinked.load() == 0;
      pause_here();
      if (reachable && freed.load() != 0) ++met;
    };
    const auto frees = [&] {
      unlinked.store(1);
      rcu.synchronize();
      freed.store(1);
    };
    run(seed, reads, frees);
  }
  return met;
}

TEST(RcuFlavours, ASpinlocksHolderIsAReaderOnlyInTheClassicOne) {
  const auto run = [](int seed, Body reads, Body frees) {
    EXPECT_FALSE(run_tasks(random_walk_seed(seed), {reads, frees}));
  };
  EXPECT_EQ(met_readers_in_spinlocks(RcuFlavour::kClassic, run), 0);
  EXPECT_GT(met_readers_in_spinlocks(RcuFlavour::kPreempt, run), 0);
}

// The same with plain data: TSan sees the edge from the end of the spinlock to the
// free.
TEST_P(RcuTest, AClassicGracePeriodIsOrderedAfterSpinlocks) {
  repeat([&] {
    Rcu rcu(RcuFlavour::kClassic);
    Replaced replaced;
    SpinLock lock(kLockA);
    const auto reads = [&] {
      for (int i = 0; i < 3; ++i) {
        const SpinGuard guard(lock);
        replaced.read();
      }
    };
    const auto frees = [&] {
      Object& old = replaced.replace();
      rcu.synchronize();
      free_it(old);
    };
    EXPECT_EQ(run({reads, frees, reads}), "");
  });
}

TEST(RcuFibers, FreeingWithoutAGracePeriodMeetsReaders) {
  int met = 0;
  for (int seed = 0; seed < 200; ++seed) {
    Rcu rcu(RcuFlavour::kPreempt);
    Atomic<int> freed{0};
    const auto reads = [&] {
      const RcuReadGuard guard(rcu);
      const bool reachable = freed.load() == 0;
      if (reachable && freed.load() != 0) ++met;
    };
    EXPECT_FALSE(run_tasks(random_walk_seed(seed), {reads, [&] { freed.store(1); }}));
  }
  EXPECT_GT(met, 0);
}

// A reader that always begins anew does not hold up the grace period: run to block,
// where it would read for ever if it were not for its own end.
TEST_P(RcuTest, AGracePeriodDoesNotWaitForNewReaders) {
  for (const RcuFlavour flavour : kFlavours) {
    repeat([&] {
      Rcu rcu(flavour);
      Atomic<int> done{0};
      Atomic<int> begun{0};
      const auto reads_on = [&] {
        rcu.read_lock();
        begun.store(1);
        while (done.load() == 0) {
          rcu.read_unlock();
          rcu.read_lock();
          if (GetParam().strategy == StrategyKind::kRunToBlock && !native()) break;
        }
        rcu.read_unlock();
      };
      const auto synchronizes = [&] {
        while (begun.load() == 0) begun.wait_until_written();
        rcu.synchronize();
        done.store(1);
      };
      EXPECT_EQ(run({reads_on, synchronizes}), "");
    });
  }
}

struct Freed {
  RcuHead head;
  int number = 0;
  std::vector<int>* order = nullptr;

  void call(Rcu& rcu) {
    head.callback = [](RcuHead&, void* self) {
      auto& freed = *static_cast<Freed*>(self);
      freed.order->push_back(freed.number);
    };
    head.context = this;
    rcu.call(head);
  }
};

TEST_P(RcuTest, CallbacksRunInOrderAfterTheirReaders) {
  for (const RcuFlavour flavour : kFlavours) {
    repeat([&] {
      Rcu rcu(flavour);
      std::vector<int> order;
      Freed freed[10];
      for (int i = 0; i < 10; ++i) freed[i].number = i, freed[i].order = &order;
      const auto calls = [&] {
        for (Freed& each : freed) each.call(rcu);
        rcu.stop();
      };
      const auto loops = [&] { rcu.callback_loop(); };
      EXPECT_EQ(run({calls, loops}), "");
      EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
      EXPECT_FALSE(rcu.pending());
    });
  }
}

TEST_P(RcuTest, ACallbackFreesWhatNoReaderSees) {
  for (const RcuFlavour flavour : kFlavours) {
    repeat([&] {
      Rcu rcu(flavour);
      Replaced replaced;
      RcuHead head;
      Atomic<int> left{3};
      const auto leaves = [&] {
        if (left.fetch_sub(1) == 1) rcu.stop();
      };
      const auto reads = [&] {
        {
          const RcuReadGuard guard(rcu);
          replaced.read();
        }
        leaves();
      };
      const auto frees = [&] {
        head.callback = [](RcuHead&, void* object) {
          free_it(*static_cast<Object*>(object));
        };
        head.context = &replaced.replace();
        rcu.call(head);
        leaves();
      };
      const auto loops = [&] { rcu.callback_loop(); };
      EXPECT_EQ(run({reads, frees, loops, reads}), "");
      EXPECT_FALSE(replaced.objects[0].alive);
    });
  }
}

TEST_P(RcuTest, CallbacksDoNotWaitForTheEnd) {
  repeat([&] {
    Rcu rcu(RcuFlavour::kPreempt);
    Atomic<int> ran{0};
    RcuHead head;
    head.callback = [](RcuHead&, void* word) {
      static_cast<Atomic<int>*>(word)->store(1);
    };
    head.context = &ran;
    const auto loops = [&] { rcu.callback_loop(); };
    const auto calls = [&] {
      rcu.call(head);
      while (ran.load() == 0) ran.wait_until_written();
      rcu.stop();
    };
    EXPECT_EQ(run({loops, calls}), "");
  });
}

void sleeps(RcuHead&, void*) { might_sleep(); }

TEST_P(RcuTest, ACallbackMustNotSleep) {
  Rcu rcu(RcuFlavour::kPreempt);
  RcuHead head;
  head.callback = sleeps;
  const auto body = [&] {
    rcu.call(head);
    rcu.stop();
    rcu.callback_loop();
  };
  EXPECT_EQ(run({body}),
            "BUG: sleeping function called from invalid context in sleeps");
}

TEST_P(RcuTest, WaitingForOneselfIsAFinding) {
  for (const RcuFlavour flavour : kFlavours) {
    Rcu rcu(flavour);
    const auto body = [&] {
      const RcuReadGuard guard(rcu);
      rcu.synchronize();
    };
    run({body});
    ASSERT_TRUE(finding());
    EXPECT_EQ(kind(), FindingKind::kAtomicSleep);
  }
}

TEST_P(RcuTest, SectionsAreBalanced) {
  Rcu rcu(RcuFlavour::kPreempt);
  EXPECT_EQ(run({[&] { rcu.read_unlock(); }}),
            "WARNING: bad unlock balance detected: rcu_read_lock");
  EXPECT_EQ(run({[&] { rcu.read_lock(); }}),
            "WARNING: lock held when returning to user space: rcu_read_lock");
  EXPECT_EQ(run({[&] { rcu.assert_read_held(); }}).substr(0, 28),
            "WARNING: suspicious RCU usag");
}

TEST(RcuAtRest, RunsCallbacksAtOnce) {
  Rcu rcu(RcuFlavour::kClassic);
  std::vector<int> order;
  Freed freed[3];
  for (int i = 0; i < 3; ++i) {
    freed[i].number = i;
    freed[i].order = &order;
    freed[i].call(rcu);
  }
  const RcuReadGuard guard(rcu);
  rcu.synchronize();
  EXPECT_TRUE(order.empty());
  rcu.barrier_at_rest();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  freed[0].call(rcu);
  rcu.reset(RcuFlavour::kPreempt);
  EXPECT_FALSE(rcu.pending());
  EXPECT_EQ(rcu.flavour(), RcuFlavour::kPreempt);
}

}  // namespace
}  // namespace racier
