// core/mm/tlb_test.cc - flushes go to whom they must, and who was away makes up for it.
#include "core/mm/tlb.h"

#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

struct Tlb : MmForTest {
  explicit Tlb(bool cpumask = true)
      : MmForTest({.frames = 64, .slab_pages = 32, .period = {.mm_cpumask = cpumask}}) {
  }

  void load(Mm& mm, VirtAddr at, int cpu) {
    EXPECT_EQ(user_access(m, mm, cpu, at, UserAccess::kRead).status, Status::kOk);
  }
  // The CPUs that have anything of `mm` cached, used or not.
  CpuSet cached(const Mm& mm) {
    CpuSet cpus = 0;
    m.mmu->for_each_entry([&](const TlbEntry& entry) {
      if (entry.asid == mm.context.asid) cpus |= CpuSet{1} << entry.cpu;
    });
    return cpus;
  }
  // A page that is mapped at kBase, and loaded from on CPUs 0 and 1.
  void loaded_twice(Mm& mm) {
    write(mm, map(mm, 2, kRw, kBase), 1);
    load(mm, kBase, 1);
    EXPECT_EQ(cached(mm), 0b11u);
  }
};

TEST_F(Tlb, CpusThatUseAnMmAreInItsCpumask) {
  story([&](Mm& mm) {
    EXPECT_EQ(mm.cpumask.load(), 0u);
    loaded_twice(mm);
    EXPECT_EQ(mm.cpumask.load(), 0b11u);
    Mm& other = *mm_create(m);
    write(other, map(other, 1), 1);
    EXPECT_EQ(mm.cpumask.load(), 0b10u);
    EXPECT_EQ(other.cpumask.load(), 0b01u);
    mmput(m, other);
  });
}

TEST_F(Tlb, AFlushReachesWhoHasTheMmLoaded) {
  story([&](Mm& mm) {
    loaded_twice(mm);
    flush_tlb_page(m, mm, kBase);
    EXPECT_EQ(cached(mm), 0u);
    load(mm, kBase, 1);
    EXPECT_EQ(count(Mark::kTlbCaughtUp), 0u);
  });
}

TEST_F(Tlb, WhoRunsAnotherMmIsLeftOutAndMakesUpForIt) {
  story([&](Mm& mm) {
    loaded_twice(mm);
    Mm& other = *mm_create(m);
    write(other, map(other, 1), 1);
    flush_tlb_mm(m, mm);
    EXPECT_EQ(cached(mm), 0b01u);
    load(mm, page_at(kBase, 1), 1);
    switch_mm(m, mm, 0);
    EXPECT_EQ(cached(mm), 0b10u);
    EXPECT_EQ(count(Mark::kTlbCaughtUp), 1u);
    mmput(m, other);
  });
}

TEST_F(Tlb, WhoHasMissedNoFlushKeepsWhatIsCached) {
  story([&](Mm& mm) {
    loaded_twice(mm);
    Mm& other = *mm_create(m);
    write(other, map(other, 1), 1);
    switch_mm(m, mm, 0);
    EXPECT_EQ(cached(mm), 0b11u);
    mmput(m, other);
  });
}

TEST_F(Tlb, ALazyCpuIsLeftOutAndMakesUpForIt) {
  story([&](Mm& mm) {
    loaded_twice(mm);
    enter_lazy_tlb(m, 1);
    EXPECT_EQ(mm.cpumask.load(), 0b11u);
    flush_tlb_page(m, mm, kBase);
    EXPECT_EQ(cached(mm), 0b10u);
    EXPECT_EQ(count(Mark::kTlbLazySkipped), 1u);
    switch_mm(m, mm, 1);
    EXPECT_EQ(cached(mm), 0u);
    EXPECT_EQ(count(Mark::kTlbCaughtUp), 1u);
    flush_tlb_page(m, mm, kBase);
    EXPECT_EQ(count(Mark::kTlbLazySkipped), 1u);
  });
}

TEST_F(Tlb, ALazyCpuThatMissedNoFlushGoesOn) {
  story([&](Mm& mm) {
    loaded_twice(mm);
    enter_lazy_tlb(m, 1);
    switch_mm(m, mm, 1);
    EXPECT_EQ(cached(mm), 0b11u);
  });
}

// What it missed counts, also when a flush that it did not miss comes behind it.
TEST_F(Tlb, ALaterFlushDoesNotMakeUpForAnEarlierOne) {
  story([&](Mm& mm) {
    loaded_twice(mm);
    load(mm, page_at(kBase, 1), 1);
    put_off_flush(m, mm);
    flush_tlb_page(m, mm, page_at(kBase, 1));
    EXPECT_EQ(cached(mm), 0b11u);
    for (const int cpu : {0, 1}) {
      enter_lazy_tlb(m, cpu);
      switch_mm(m, mm, cpu);
    }
    EXPECT_EQ(cached(mm), 0u);
  });
}

TEST_F(Tlb, AFlushThatIsPutOffReachesWhoHadTheMmLoadedThen) {
  story([&](Mm& mm) {
    loaded_twice(mm);
    const CpuSet cpus = put_off_flush(m, mm);
    EXPECT_EQ(cpus, 0b11u);
    EXPECT_EQ(cached(mm), 0b11u);
    flush_tlb_put_off(m, mm.context, cpus);
    EXPECT_EQ(cached(mm), 0u);
  });
}

TEST_F(Tlb, AnMmThatEndsIsTakenAwayFromWhoHasItLoaded) {
  story([&](Mm& mm) {
    Mm& other = *mm_create(m);
    write(other, map(other, 1), 1);
    enter_lazy_tlb(m, 0);
    mmput(m, other);
    {
      const InterlockGuard guard(m.cpus[0].lock);
      EXPECT_EQ(m.cpus[0].loaded, nullptr);
    }
    loaded_twice(mm);
    EXPECT_EQ(mm.cpumask.load(), 0b11u);
  });
}

struct TlbOfAll : Tlb {
  TlbOfAll() : Tlb(false) {}
};

TEST_F(TlbOfAll, EverybodyIsFlushed) {
  story([&](Mm& mm) {
    loaded_twice(mm);
    Mm& other = *mm_create(m);
    write(other, map(other, 1), 1);
    enter_lazy_tlb(m, 1);
    flush_tlb_page(m, mm, kBase);
    EXPECT_EQ(cached(mm), 0u);
    EXPECT_EQ(mm.cpumask.load(), 0u);
    mmput(m, other);
  });
}

}  // namespace
}  // namespace racier
