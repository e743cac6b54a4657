// core/mm/gather_test.cc - nothing is free before no CPU can reach it.
#include "core/mm/gather.h"

#include "core/mm/mm_for_test.h"
#include "core/mm/swap.h"

namespace racier {
namespace {

using Gather = MmForTest;

TEST_F(Gather, KeepsPagesUntilItEnds) {
  story([&](Mm& mm) {
    Page* const page = alloc_page(m, Gfp::kKernel);
    {
      MmuGather tlb(m, mm);
      tlb.remove_page(*page, 0x1000);
      EXPECT_FALSE(m.frames.is_free(page->pfn));
    }
    EXPECT_TRUE(m.frames.is_free(page->pfn));
  });
}

TEST_F(Gather, FlushesBeforeItFrees) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 1);
    const PteSlot slot = find_pte(m.frames, mm.context, at);
    {
      Vma& vma = *mm.vmas.first();
      const SpinGuard guard(vma.vm_mm->page_table_lock);
      MmuGather tlb(m, mm);
      const Pte pte = slot.get_and_clear();
      m.scheme().remove(m.page(pte.pfn()), vma, at);
      tlb.remove_page(m.page(pte.pfn()), at);
      --vma.vm_mm->rss;
      --vma.vm_mm->anon_rss;
    }
    m.mmu->for_each_entry(
        [](const TlbEntry&) { ADD_FAILURE() << "a translation is left"; });
  });
}

TEST_F(Gather, EmptiesItselfWhenItIsFull) {
  story([&](Mm& mm) {
    std::vector<Page*> pages;
    for (int i = 0; i < 65; ++i) pages.push_back(alloc_page(m, Gfp::kKernel));
    {
      MmuGather tlb(m, mm);
      for (int i = 0; i < 65; ++i) tlb.remove_page(*pages[i], 0x1000 * (1 + i));
      EXPECT_TRUE(m.frames.is_free(pages[0]->pfn));
      EXPECT_TRUE(m.frames.is_free(pages[63]->pfn));
      EXPECT_FALSE(m.frames.is_free(pages[64]->pfn));
    }
    EXPECT_TRUE(m.frames.is_free(pages[64]->pfn));
  });
}

TEST_F(Gather, IsAtomicContext) {
  const std::string found = tell([&] {
    Mm* const mm = mm_create(m);
    MmuGather tlb(m, *mm);
    static_cast<void>(alloc_page(m, Gfp::kKernel));
  });
  EXPECT_TRUE(found.starts_with("BUG: sleeping function called")) << found;
}

struct PreemptibleGather : MmForTest {
  PreemptibleGather()
      : MmForTest({.frames = 128,
                   .slab_pages = 32,
                   .period = {.gather = GatherContext::kPreemptible}}) {}
};

TEST_F(PreemptibleGather, IsNoAtomicContext) {
  story([&](Mm& mm) {
    const MmuGather tlb(m, mm);
    might_sleep();
  });
}

TEST_F(Gather, LeavesAtomicContextBehind) {
  story([&](Mm& mm) {
    { MmuGather tlb(m, mm); }
    might_sleep();
  });
}

TEST_F(Gather, TakesAPageOutOfTheSwapCacheWithItsLastPte) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 1);
    Page& page = page_of(mm, at);
    lock_page(m, page);
    EXPECT_TRUE(add_to_swap(m, page));
    unlock_page(m, page);
    unmap(mm, at, 1);
    EXPECT_TRUE(m.frames.is_free(page.pfn));
    const SpinGuard guard(m.swap.info[0]->swap_device_lock);
    EXPECT_EQ(m.swap.info[0]->inuse_pages, 0u);
  });
}

}  // namespace
}  // namespace racier
