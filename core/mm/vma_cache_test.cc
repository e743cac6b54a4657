// core/mm/vma_cache_test.cc - who finds a vma without mmap_sem, and who waits for him.
#include "core/mm/vma_cache.h"

#include "core/base/mark.h"
#include "core/mm/lookup_for_test.h"
#include "core/mm/madvise.h"
#include "core/mm/mremap.h"

namespace racier {
namespace {

struct VmaCache : LookupForTest {
  VmaCache()
      : LookupForTest({.frames = 128,
                       .slab_pages = 32,
                       .period = {.split_ptl = true, .lookup = VmaLookup::kKamezawa}}) {
  }

  // Returns the vma that is in the cache for `addr`, whether it may be used or not.
  Vma* cached(Mm& mm, VirtAddr addr) {
    const Pfn table = find_pte_table(m.frames, mm.context, addr);
    return table == kNoPfn ? nullptr : m.page(table).cached_vma.peek();
  }
  // Returns whether a fault may do without mmap_sem.
  bool can_look_up(Mm& mm, VirtAddr addr) {
    Vma* const vma = lookup_vma_cache(m, mm, addr);
    if (vma == nullptr) return false;
    EXPECT_TRUE(vma->contains(addr));
    vma_release(m, *vma);
    EXPECT_EQ(vma->cache_access.peek(), 0);
    return true;
  }
};

TEST_F(VmaCache, HasTheVmaOfTheLastFault) {
  story([&](Mm& mm) {
    map(mm, 4, kRw, kBase);
    EXPECT_FALSE(can_look_up(mm, kBase)) << "no table yet";
    write(mm, kBase, 1);
    EXPECT_EQ(cached(mm, kBase), mm.vmas.first());
    EXPECT_TRUE(can_look_up(mm, page_at(kBase, 3)));
    EXPECT_FALSE(can_look_up(mm, page_at(kBase, 4))) << "not of that vma";
    EXPECT_FALSE(can_look_up(mm, kBase + (1ull << 40))) << "no table there";
  });
}

TEST_F(VmaCache, AFaultDoesWithoutMmapSem) {
  story([&](Mm& mm) {
    map(mm, 4, kRw, kBase);
    write(mm, kBase, 1);
    EXPECT_EQ(count(Mark::kSpeculativeFault), 0u);
    const ReadGuard held(mm.mmap_sem);
    EXPECT_EQ(try_write(mm, page_at(kBase, 1), 2), Status::kOk);
    EXPECT_EQ(count(Mark::kSpeculativeFault), 1u);
  });
}

TEST_F(VmaCache, TheFirstPageOfAVmaNeedsMmapSem) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    read(mm, kBase);
    EXPECT_FALSE(m.scheme().may_have_anon(*mm.vmas.first()) &&
                 count(Mark::kSpeculativeFault) == 0);
    write(mm, kBase, 1);
    EXPECT_EQ(count(Mark::kSpeculativeFault), 0u) << "an anchor may be a neighbour's";
  });
}

TEST_F(VmaCache, WhatIsNotAllowedIsLeftToWhoHasMmapSem) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    write(mm, kBase, 1);
    protect(mm, kBase, 2, kVmRead);
    read(mm, page_at(kBase, 1));
    EXPECT_EQ(try_write(mm, page_at(kBase, 1), 1), Status::kFault);
  });
}

TEST_F(VmaCache, NobodyFindsAVmaWhileVmasChange) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    write(mm, kBase, 1);
    {
      MmapWriteGuard guard(m, mm);
      EXPECT_NE(cached(mm, kBase), nullptr);
      EXPECT_FALSE(can_look_up(mm, kBase));
      guard.downgrade();
      EXPECT_TRUE(can_look_up(mm, kBase));
    }
    EXPECT_TRUE(can_look_up(mm, kBase));
  });
}

TEST_F(VmaCache, WhatChangesIsTakenOut) {
  const std::pair<const char*, void (*)(VmaCache&, Mm&)> rows[] = {
      {"munmap", [](VmaCache& t, Mm& mm) { t.unmap(mm, page_at(kBase, 1), 1); }},
      {"mprotect", [](VmaCache& t, Mm& mm) { t.protect(mm, kBase, 4, kVmRead); }},
      {"split",
       [](VmaCache& t, Mm& mm) { t.protect(mm, page_at(kBase, 2), 2, kVmRead); }},
      {"mlock",
       [](VmaCache& t, Mm& mm) {
         EXPECT_EQ(do_mlock(t.m, mm, {kBase, page_at(kBase, 4)}), Status::kOk);
       }},
      {"merge", [](VmaCache& t, Mm& mm) { t.map(mm, 1, kRw, page_at(kBase, 4)); }},
      {"move",
       [](VmaCache& t, Mm& mm) {
         const MremapRequest request{.addr = kBase,
                                     .old_pages = 4,
                                     .new_pages = 4,
                                     .may_move = true,
                                     .new_addr = page_at(kBase, 16)};
         EXPECT_TRUE(do_mremap(t.m, mm, request).ok());
       }},
      {"fork", [](VmaCache& t, Mm& mm) { mmput(t.m, *dup_mm(t.m, mm).value()); }},
  };
  for (const auto& [name, change] : rows) {
    story([&](Mm& mm) {
      map(mm, 1, kRw, page_at(kBase, 8));  // keeps the table
      write(mm, page_at(kBase, 8), 1);
      map(mm, 4, kRw, kBase);
      write(mm, kBase, 1);
      ASSERT_NE(cached(mm, kBase), nullptr) << name;
      change(*this, mm);
      EXPECT_EQ(cached(mm, kBase), nullptr) << name;
    });
  }
}

TEST_F(VmaCache, VmasAndTablesAreFreeBehindAGracePeriod) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    write(mm, kBase, 1);
    const Pfn table = find_pte_table(m.frames, mm.context, kBase);
    unmap(mm, kBase, 1);
    EXPECT_FALSE(m.frames.is_free(table));
    EXPECT_EQ(m.vma_cache.live_objects(), 1u);
    m.rcu.barrier_at_rest();
    EXPECT_TRUE(m.frames.is_free(table));
    EXPECT_EQ(m.vma_cache.live_objects(), 0u);
  });
}

// Whoever has found the vma keeps it as it is until he lets go.
TEST_F(VmaCache, WhoChangesAVmaWaitsForItsUsers) {
  expect_changes_wait([&](Mm& mm) { return lookup_vma_cache(m, mm, kBase); },
                      [&](Vma& vma) { vma_release(m, vma); });
}

TEST_F(VmaCache, RacesWithEverybody) {
  expect_races_are_clean({Mark::kSpeculativeFault});
}

}  // namespace
}  // namespace racier
