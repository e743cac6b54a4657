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
