// core/sync/srcu_test.cc - a grace period waits for readers, even for those who sleep.
#include "core/sync/srcu.h"

#include "core/sync/completion.h"
#include "core/sync/worlds_test.h"

namespace racier {
namespace {

class SrcuTest : public InEveryWorld {};
INSTANTIATE_TEST_SUITE_P(Worlds, SrcuTest, testing::ValuesIn(kWorlds), world_name);

// Readers of a pointer, and one who replaces it and frees the old object.
struct SrcuReplaced {
  struct Object {
    bool alive = true;
  };
  Srcu srcu{kLockA, kQueueLock};
  Object objects[2];
  Atomic<Object*> current{&objects[0]};
  int met_dead = 0;

  void read() {
    const SrcuReadGuard guard(srcu);
    const Object* const object = current.load(std::memory_order_acquire);
    pause_here();
    if (!object->alive) ++met_dead;
  }
  // Returns whether what is found is told to be free before the section ends.
  bool met_freed(const Atomic<int>& freed) {
    const SrcuReadGuard guard(srcu);
    const bool first = current.load() == &objects[0];
    pause_here();
    return first && freed.load() != 0;
  }
  void replace() { current.store(&objects[1], std::memory_order_release); }
};

TEST_P(SrcuTest, WhatIsUnlinkedLivesAsLongAsItsReaders) {
  repeat([&] {
    SrcuReplaced replaced;
    const auto reads = [&] { replaced.read(); };
    const auto frees = [&] {
      replaced.replace();
      replaced.srcu.synchronize();
      replaced.objects[0].alive = false;
    };
    EXPECT_EQ(run({reads, frees, reads}), "");
    EXPECT_EQ(replaced.met_dead, 0);
  });
}

TEST(Srcu, WithoutAGracePeriodAReaderMeetsWhatIsFreed) {
  int met = 0;
  for (int seed = 0; seed < 200; ++seed) {
    SrcuReplaced replaced;
    Atomic<int> freed{0};
    const auto reads = [&] { met += replaced.met_freed(freed) ? 1 : 0; };
    const auto frees = [&] {
      replaced.replace();
      freed.store(1);
    };
    EXPECT_FALSE(run_tasks(random_walk_seed(seed), {reads, frees}));
  }
  EXPECT_GT(met, 0);
}

TEST_P(SrcuTest, AReaderMaySleep) {
  repeat([&] {
    SrcuReplaced replaced;
    Completion go(kLockB);
    bool closed = false;
    const auto sleeps = [&] {
      const SrcuReadGuard guard(replaced.srcu);
      go.wait();
      closed = true;
    };
    const auto wakes = [&] { go.complete(); };
    const auto waits = [&] {
      replaced.srcu.synchronize();
      replaced.srcu.synchronize();
    };
    EXPECT_EQ(run({sleeps, waits, wakes}), "");
    EXPECT_TRUE(closed);
  });
}

TEST(Srcu, GracePeriodsOfTwoWaitersDoNotMix) {
  for (int seed = 0; seed < 300; ++seed) {
    SrcuReplaced replaced;
    Atomic<int> freed{0};
    int met = 0;
    const auto reads = [&] {
      for (int i = 0; i < 3; ++i) {
        const SrcuReadGuard guard(replaced.srcu);
        const int before = freed.load();
        const bool first = replaced.current.load() == &replaced.objects[0];
        pause_here();
        if (first && before == 0 && freed.load() != 0) ++met;
      }
    };
    const auto frees = [&] {
      replaced.replace();
      replaced.srcu.synchronize();
      freed.store(1);
    };
    const auto waits = [&] { replaced.srcu.synchronize(); };
    EXPECT_FALSE(run_tasks(random_walk_seed(seed), {reads, frees, waits}));
    EXPECT_EQ(met, 0);
  }
}

// A reader that was slow to count himself is counted under a number that comes round.
TEST(Srcu, ALateReaderIsWaitedForTheNextTime) {
  for (int seed = 0; seed < 1000; ++seed) {
    SrcuReplaced replaced;
    Atomic<int> freed{0};
    int met = 0;
    const auto reads = [&] { met += replaced.met_freed(freed) ? 1 : 0; };
    const auto frees = [&] {
      replaced.srcu.synchronize();
      replaced.replace();
      replaced.srcu.synchronize();
      freed.store(1);
    };
    EXPECT_FALSE(run_tasks(random_walk_seed(seed), {reads, frees}));
    EXPECT_EQ(met, 0) << seed;
  }
}

TEST(Srcu, WhoWaitsInASectionOfItsOwnWaitsForEver) {
  SrcuReplaced replaced;
  const auto waits = [&] {
    const SrcuReadGuard guard(replaced.srcu);
    replaced.srcu.synchronize();
  };
  const std::optional<Finding> finding = run_tasks(random_walk_seed(1), {waits});
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->kind, FindingKind::kDeadlock);
}

}  // namespace
}  // namespace racier
