// core/sync/sites_test.cc - what a run does without is not there.
#include "core/sync/sites.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "core/runtime/fiber_runtime.h"
#include "core/sync/bit_lock.h"
#include "core/sync/bit_spin_lock.h"
#include "core/sync/lock_checker.h"
#include "core/sync/rcu.h"
#include "core/sync/ref_count.h"
#include "core/sync/rw_semaphore.h"
#include "core/sync/seq_count.h"
#include "core/sync/spin_lock.h"
#include "core/sync/srcu.h"

namespace racier {
namespace {

const LockClass kSpin("sites_test spin");
const LockClass kSemaphore("sites_test semaphore");
const LockClass kBit("sites_test bit");
const LockClass kQueue("sites_test queue");

// Leaves out all sites of one kind, and remembers what there was of any.
class AllOf final : public Sites {
 public:
  explicit AllOf(std::optional<SiteKind> kind) : kind_(kind) {}
  bool leaves_out(SiteKind kind, const char* what, std::source_location) override {
    seen.insert(std::string(site_kind_name(kind)) + " " + what);
    return kind == kind_;
  }
  std::set<std::string> seen;

 private:
  const std::optional<SiteKind> kind_;
};

// Runs `body` as the only task; returns the title of what it found, or "".
std::string run_with(Sites& sites, const std::function<void()>& body) {
  FiberRuntime runtime;
  LockChecker checker;
  RunState run;
  run.lock_checker = &checker;
  run.sites = &sites;
  const FunctionRef<void()> bodies[] = {body};
  runtime.run(run, bodies);
  return run.finding() ? run.finding()->title : "";
}

TEST(Sites, WithoutAnyAllIsThere) {
  AllOf none(std::nullopt);
  SpinLock lock(kSpin);
  EXPECT_EQ(run_with(none,
                     [&] {
                       const SpinGuard guard(lock);
                       EXPECT_TRUE(lock.is_locked());
                     }),
            "");
  EXPECT_EQ(none.seen.count("lock sites_test spin"), 1u);
}

TEST(Sites, ASpinLockThatIsLeftOutIsNotTaken) {
  AllOf locks(SiteKind::kLock);
  SpinLock lock(kSpin);
  const auto body = [&] {
    const SpinGuard guard(lock);
    EXPECT_FALSE(lock.is_locked());
    EXPECT_EQ(current()->preempt_count, 0);
    lock.assert_held();  // who asks whether it is held is told so
  };
  EXPECT_EQ(run_with(locks, body), "");
  EXPECT_FALSE(lock.is_locked());
}

TEST(Sites, ATryForALockThatIsLeftOutSucceeds) {
  AllOf locks(SiteKind::kLock);
  SpinLock lock(kSpin);
  const auto body = [&]() NO_THREAD_SAFETY_ANALYSIS {
    ASSERT_TRUE(lock.try_lock());
    EXPECT_FALSE(lock.is_locked());
    lock.unlock();
  };
  EXPECT_EQ(run_with(locks, body), "");
}

TEST(Sites, ASemaphoreThatIsLeftOutIsNotTakenInAnyWay) {
  AllOf locks(SiteKind::kLock);
  RwSemaphore lock(kSemaphore);
  const auto body = [&] {
    {
      const ReadGuard guard(lock);
      EXPECT_FALSE(lock.is_locked());
      lock.assert_held_shared();
    }
    WriteGuard guard(lock);
    EXPECT_FALSE(lock.is_locked());
    lock.assert_held();
    guard.downgrade();
    EXPECT_FALSE(lock.is_locked());
  };
  EXPECT_EQ(run_with(locks, body), "");
  EXPECT_FALSE(lock.is_locked());
}

TEST(Sites, BitsThatAreLockedAreNot) {
  AllOf locks(SiteKind::kLock);
  Atomic<std::uint64_t> word{0};
  WaitQueue queue(kQueue);
  const auto body = [&] {
    bit_lock(word, 0, queue, kBit);
    bit_spin_lock(word, 1, kSpin);
    EXPECT_EQ(word.peek(), 0u);
    bit_spin_unlock(word, 1, kSpin);
    bit_unlock(word, 0, queue, kBit);
    ASSERT_TRUE(bit_trylock(word, 0, kBit));
    ASSERT_TRUE(bit_spin_trylock(word, 1, kSpin));
    EXPECT_EQ(word.peek(), 0u);
    word.poke(3);  // another task has both
    bit_spin_unlock(word, 1, kSpin);
    bit_unlock(word, 0, queue, kBit);
    EXPECT_EQ(word.peek(), 3u);
  };
  EXPECT_EQ(run_with(locks, body), "");
}

// What the lock keeps others from seeing they see without it.
TEST(Sites, UnderALockThatIsLeftOutEachAccessIsAStep) {
  AllOf locks(SiteKind::kLock);
  SpinLock lock(kSpin);
  Atomic<int> word{0};
  const auto steps_of_two = [&] {
    const std::uint32_t before = current()->steps;
    word.poke(word.peek() + 1);
    return current()->steps - before;
  };
  const auto body = [&] {
    EXPECT_EQ(steps_of_two(), 0u);
    {
      const SpinGuard guard(lock);
      EXPECT_EQ(steps_of_two(), 2u);
    }
    EXPECT_EQ(steps_of_two(), 0u);
  };
  EXPECT_EQ(run_with(locks, body), "");
}

TEST(Sites, OnlyOneLineIsLeftOut) {
  SpinLock here(kSpin), there(kSpin);
  const std::uint32_t line = std::source_location::current().line() + 3;
  LeftOut one({{SiteKind::kLock, "sites_test.cc", line}});
  const auto body = [&] {
    const SpinGuard first(here);
    const SpinGuard second(there, 1);
    EXPECT_FALSE(here.is_locked());
    EXPECT_TRUE(there.is_locked());
  };
  EXPECT_EQ(run_with(one, body), "");
  LeftOut another_kind({{SiteKind::kFlush, "sites_test.cc", line}});
  const auto all = [&] {
    const SpinGuard first(here);
    EXPECT_TRUE(here.is_locked());
  };
  EXPECT_EQ(run_with(another_kind, all), "");
}

TEST(Sites, AReadSectionThatIsLeftOutIsNone) {
  AllOf locks(SiteKind::kLock);
  Rcu rcu(RcuFlavour::kPreempt);
  Srcu srcu(kSemaphore, kQueue);
  const auto body = [&] {
    {
      const RcuReadGuard outer(rcu);
      const RcuReadGuard inner(rcu);
      EXPECT_EQ(current()->rcu_nesting, 0);
      rcu.assert_read_held();
    }
    EXPECT_FALSE(rcu.read_held());
    rcu.synchronize();
    const SrcuReadGuard section(srcu);
    srcu.synchronize();  // of a section that it is in, it would wait for ever
  };
  EXPECT_EQ(run_with(locks, body), "");
  AllOf none(std::nullopt);
  const auto later = [&] {
    const int number = srcu.read_lock();
    EXPECT_EQ(number, 1);  // synchronize() has turned it over, and nobody else
    srcu.read_unlock(number);
  };
  EXPECT_EQ(run_with(none, later), "");
}

TEST(Sites, AGracePeriodThatIsLeftOutDoesNotWait) {
  AllOf graces(SiteKind::kGrace);
  Rcu rcu(RcuFlavour::kPreempt);
  Srcu srcu(kSemaphore, kQueue);
  bool called = false;
  RcuHead head;
  head.context = &called;
  head.callback = [](RcuHead&, void* context) { *static_cast<bool*>(context) = true; };
  const auto body = [&] {
    {
      const SrcuReadGuard section(srcu);
      srcu.synchronize();
    }
    const RcuReadGuard section(rcu);
    rcu.call(head);
    EXPECT_TRUE(called);
  };
  EXPECT_EQ(run_with(graces, body), "");
  EXPECT_EQ(graces.seen.count("grace call_rcu"), 1u);
  EXPECT_EQ(graces.seen.count("grace synchronize_srcu"), 1u);
}

TEST(Sites, AReferenceThatIsLeftOutIsNotDroppedByTheSameCall) {
  AllOf references(SiteKind::kReference);
  RefCount count(1);
  const auto body = [&] {
    count.inc();
    EXPECT_EQ(count.read(), 1);
    EXPECT_FALSE(count.dec_and_test());
    ASSERT_TRUE(count.inc_not_zero());
    EXPECT_EQ(count.read(), 1);
    references.call_ends(*current());
    EXPECT_TRUE(count.dec_and_test());  // this one was there
    EXPECT_FALSE(count.inc_not_zero());
  };
  EXPECT_EQ(run_with(references, body), "");
}

TEST(Sites, ALookThatIsLeftOutSeesWhatWasBefore) {
  AllOf looks(SiteKind::kRecheck);
  SeqCount seq;
  const auto body = [&] {
    const std::uint32_t sequence = seq.read_begin();
    seq.write_begin();
    seq.write_end();
    EXPECT_FALSE(seq.read_retry(sequence));
    EXPECT_TRUE(still(false));
  };
  EXPECT_EQ(run_with(looks, body), "");
  EXPECT_FALSE(still(false));
  EXPECT_TRUE(still(true));
}

// An order that nobody has named is a kind of its own.
TEST(Sites, ABarrierThatIsLeftOutOrdersNothing) {
  for (const bool named : {false, true}) {
    AllOf orders(named ? SiteKind::kBarrier : SiteKind::kOrder);
    Atomic<int> word{0};
    const auto body = [&] {
      int seven = 7;
      if (named) {
        word.store(1, std::memory_order_release);
        EXPECT_EQ(word.load(std::memory_order_acquire), 1);
        EXPECT_EQ(word.fetch_add(2, std::memory_order_acq_rel), 1);
        EXPECT_EQ(word.exchange(7, std::memory_order_acq_rel), 3);
        EXPECT_TRUE(word.compare_exchange(seven, 8, std::memory_order_acq_rel));
        fence(std::memory_order_seq_cst);
      } else {
        word.store(1);
        word.store(1, std::memory_order_relaxed);
        EXPECT_EQ(word.load(), 1);
        EXPECT_EQ(word.fetch_add(2), 1);
        EXPECT_EQ(word.exchange(7), 3);
        EXPECT_TRUE(word.compare_exchange(seven, 8));
      }
      EXPECT_EQ(word.peek(), 8);
    };
    EXPECT_EQ(run_with(orders, body), "");
    const std::string kind = named ? "barrier " : "order ";
    std::set<std::string> expected = {kind + "store", kind + "load", kind + "fetch_add",
                                      kind + "exchange", kind + "compare_exchange"};
    if (named) expected.insert("barrier fence");
    EXPECT_EQ(orders.seen, expected);
  }
}

TEST(Sites, AFlushThatIsLeftOutIsSaidToBe) {
  AllOf flushes(SiteKind::kFlush);
  bool left_out = false;
  const auto body = [&] {
    left_out = flush_is_left_out("flush_tlb", std::source_location::current());
  };
  EXPECT_EQ(run_with(flushes, body), "");
  EXPECT_TRUE(left_out);
}

}  // namespace
}  // namespace racier
