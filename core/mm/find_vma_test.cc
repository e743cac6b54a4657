// core/mm/find_vma_test.cc - what was found last is found again, and never when it is
// gone.
#include "core/mm/find_vma.h"

#include "core/base/mark.h"
#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

struct FindVma : MmForTest {
  FindVma()
      : MmForTest({.frames = 128,
                   .slab_pages = 32,
                   .period = {.lookup = VmaLookup::kMmapCache}}) {}

  Vma* find(Mm& mm, VirtAddr addr) {
    const ReadGuard guard(mm.mmap_sem);
    return find_vma(m, mm, addr);
  }
  std::uint32_t hits() const {
    return run.marks[static_cast<std::size_t>(Mark::kMmapCacheHit)].load();
  }
};

struct TaskFindsVma : MmForTest {
  TaskFindsVma()
      : MmForTest({.frames = 128,
                   .slab_pages = 32,
                   .period = {.lookup = VmaLookup::kVmacache}}) {}

  Vma* find(Mm& mm, VirtAddr addr) {
    const ReadGuard guard(mm.mmap_sem);
    return find_vma(m, mm, addr);
  }
  std::uint32_t hits() const { return count(Mark::kVmacacheHit); }
};

TEST_F(TaskFindsVma, AgainWhatItHasFoundLately) {
  story([&](Mm& mm) {
    for (std::uint64_t i = 0; i < 6; ++i) map(mm, 1, kRw, page_at(kBase, 2 * i));
    for (const std::uint64_t page : {0, 2, 4, 6, 3, 4}) {
      const VirtAddr at = page_at(kBase, page);
      EXPECT_EQ(find(mm, at), mm.vmas.find(at)) << page;
    }
    EXPECT_EQ(hits(), 1u) << "4; behind 3 is no hit, although it is there";
  });
}

TEST_F(TaskFindsVma, NothingOldWhenAVmaIsGone) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    map(mm, 1, kRw, page_at(kBase, 4));
    EXPECT_NE(find(mm, kBase), nullptr);
    unmap(mm, page_at(kBase, 4), 1);
    EXPECT_EQ(find(mm, kBase), mm.vmas.first());
    EXPECT_EQ(hits(), 0u) << "all are out of date";
    find(mm, kBase);
    EXPECT_EQ(hits(), 1u);
    unmap(mm, kBase, 2);
    EXPECT_EQ(find(mm, kBase), nullptr);
    map(mm, 1, kRw, kBase);
    map(mm, 1, kRw, page_at(kBase, 2));
    find(mm, page_at(kBase, 2));
    map(mm, 1, kRw, page_at(kBase, 1));
    EXPECT_EQ(drawn(mm, kBase, 3), "AAA");
    EXPECT_EQ(find(mm, page_at(kBase, 2)), mm.vmas.first()) << "merged";
  });
}

TEST_F(TaskFindsVma, OfTheMmThatItWorksFor) {
  story([&](Mm& mm) {
    Mm* const other = mm_create(m);
    map(mm, 1, kRw, kBase);
    map(*other, 1, kRw, kBase);
    EXPECT_EQ(find(mm, kBase), mm.vmas.first());
    EXPECT_EQ(find(*other, kBase), other->vmas.first());
    EXPECT_EQ(find(mm, kBase), mm.vmas.first());
    EXPECT_EQ(hits(), 0u);
    mmput(m, *other);
  });
}

// A cache of an old number is not taken for one of today's when the number comes round.
TEST_F(TaskFindsVma, NothingOldWhenTheNumberComesRound) {
  Mm& mm = anew([&](Mm& fresh) { map(fresh, 1, kRw, kBase); });
  Atomic<int> turn{0};
  const auto until = [&](int value) {
    while (turn.load() != value) turn.wait_until_written();
  };
  const auto finds = [&] {
    EXPECT_NE(find(mm, kBase), nullptr);
    turn.store(1);
    until(2);
    EXPECT_EQ(find(mm, kBase), nullptr);
  };
  const auto unmaps = [&] {
    until(1);
    const std::uint32_t before = mm.vmacache_seqnum;
    do {
      unmap(mm, kBase, 1);
      if (mm.vmacache_seqnum != before) map(mm, 1, kRw, kBase);
    } while (mm.vmacache_seqnum != before);
    turn.store(2);
  };
  const auto finding = run_tasks(run, pos_seed(1), {finds, unmaps});
  EXPECT_EQ(finding ? finding->title : "", "");
  EXPECT_GT(count(Mark::kVmacacheFlushed), 0u);
  end(mm);
}

TEST_F(FindVma, IsWhatTheTreeFinds) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, page_at(kBase, 1));
    map(mm, 1, kRw, page_at(kBase, 3));
    for (const std::uint64_t page : {1, 0, 3, 2, 1, 1, 4, 3, 3, 0, 1}) {
      const VirtAddr at = page_at(kBase, page);
      EXPECT_EQ(find(mm, at), mm.vmas.find(at)) << page;
    }
    EXPECT_EQ(hits(), 3u) << "1 1, 3 3, and 1 behind 0";
  });
}

TEST_F(FindVma, ForgetsWhatIsUnmapped) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    find(mm, kBase);
    unmap(mm, kBase, 2);
    EXPECT_EQ(mm.mmap_cache.peek(), nullptr);
  });
}

TEST_F(FindVma, ForgetsWhatIsMergedAway) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    map(mm, 1, kRw, page_at(kBase, 2));
    find(mm, page_at(kBase, 2));
    map(mm, 1, kRw, page_at(kBase, 1));
    EXPECT_EQ(drawn(mm, kBase, 3), "AAA");
    EXPECT_EQ(mm.mmap_cache.peek(), nullptr);
  });
}

TEST_F(FindVma, KeepsNothingWithAnotherLookup) {
  MachineOptions options = m.options();
  options.period.lookup = VmaLookup::kTree;
  m.set_knobs(options);
  boot(m, run);
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    EXPECT_NE(find(mm, kBase), nullptr);
    EXPECT_EQ(mm.mmap_cache.peek(), nullptr);
  });
}

// Faults in two vmas share the cache, and somebody takes one of them away.
TEST_F(FindVma, RacesWithFaultsAndMunmap) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Mm& mm = anew([&](Mm& fresh) {
      map(fresh, 2, kRw, kBase);
      map(fresh, 2, kRw, page_at(kBase, 3));
    });
    const auto low = [&] {
      for (const std::uint64_t page : {0, 1}) write(mm, page_at(kBase, page), page);
    };
    const auto high = [&] {
      for (const std::uint64_t page : {3, 4}) {
        (void)try_write(mm, page_at(kBase, page), page);
      }
    };
    const auto unmaps = [&] { unmap(mm, page_at(kBase, 3), 2); };
    const auto finding = run_tasks(run, pos_seed(seed), {low, high, unmaps});
    ASSERT_EQ(finding ? finding->title : "", "") << "seed " << seed;
    end(mm);
  }
}

}  // namespace
}  // namespace racier
