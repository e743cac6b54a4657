// core/mm/tlb_batch_test.cc - old translations work until somebody flushes, who must.
#include "core/mm/tlb_batch.h"

#include "core/mm/filemap.h"
#include "core/mm/mm_for_test.h"
#include "core/mm/reclaim.h"
#include "core/mm/swap.h"

namespace racier {
namespace {

struct TlbBatch : MmForTest {
  explicit TlbBatch(bool batched = true)
      : MmForTest(
            {.frames = 64, .slab_pages = 32, .period = {.batched_unmap = batched}}) {}

  // Whether a load on CPU 0 still goes through, without a fault.
  bool is_cached(const Mm& mm, VirtAddr at) {
    std::uint64_t value = 0;
    PageFault fault;
    return m.mmu->access(0, mm.context, at, UserAccess::kRead, value, fault);
  }
  // Takes an anonymous page from all who map it; then `work(ubc)`.
  void unmapped(Page& page, FunctionRef<void(TlbUbc&)> work) {
    get_page(page);
    {
      TlbUbc ubc(m);
      lock_page(m, page);
      if (!page.test(PageFlag::kSwapCache)) EXPECT_TRUE(add_to_swap(m, page));
      EXPECT_EQ(try_to_unmap(m, page, Ttu::kForce, &ubc), Unmap::kSuccess);
      unlock_page(m, page);
      work(ubc);
    }
    // Where nobody needs its slot any more, nobody else drops it.
    lock_page(m, page);
    remove_exclusive_swap_page(m, page);
    unlock_page(m, page);
    put_page(m, page);
  }
};

TEST_F(TlbBatch, AllPtesOfAPageAreFlushedTogether) {
  story([&](Mm& mm) {
    write(mm, map(mm, 2, kRw, kBase), 1);
    Mm& child = **dup_mm(m, mm);
    read(mm, kBase);
    read(child, kBase);
    unmapped(page_of(mm, kBase), [&](TlbUbc& ubc) {
      EXPECT_TRUE(pte(mm, kBase).is_swap());
      EXPECT_TRUE(is_cached(mm, kBase));
      EXPECT_TRUE(is_cached(child, kBase));
      ubc.flush();
      EXPECT_FALSE(is_cached(mm, kBase));
      EXPECT_FALSE(is_cached(child, kBase));
    });
    mmput(m, child);
  });
}

TEST_F(TlbBatch, WhatIsLeftIsFlushedInTheEnd) {
  story([&](Mm& mm) {
    write(mm, map(mm, 1, kRw, kBase), 1);
    unmapped(page_of(mm, kBase), [&](TlbUbc&) { EXPECT_TRUE(is_cached(mm, kBase)); });
    EXPECT_FALSE(is_cached(mm, kBase));
  });
}

TEST_F(TlbBatch, OnlyWhoMayStoreIsFlushedBeforeAWrite) {
  story([&](Mm& mm) {
    write(mm, map(mm, 1, kRw, kBase), 1);
    unmapped(page_of(mm, kBase), [&](TlbUbc& ubc) {
      ubc.flush_dirty();
      EXPECT_FALSE(is_cached(mm, kBase));
    });
    // It comes back for reading, and clean.
    read(mm, kBase);
    Page& page = page_of(mm, kBase);
    EXPECT_FALSE(pte(mm, kBase).dirty());
    unmapped(page, [&](TlbUbc& ubc) {
      ubc.flush_dirty();
      EXPECT_TRUE(is_cached(mm, kBase));
    });
  });
}

TEST_F(TlbBatch, WhoUnmapsMakesUpForIt) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    write(mm, kBase, 1);
    write(mm, page_at(kBase, 1), 1);  // keeps the table
    unmapped(page_of(mm, kBase), [&](TlbUbc&) {
      unmap(mm, kBase, 1);
      EXPECT_FALSE(is_cached(mm, kBase));
      EXPECT_EQ(count(Mark::kBatchedFlushDone), 1u);
      unmap(mm, page_at(kBase, 1), 1);
      EXPECT_EQ(count(Mark::kBatchedFlushDone), 1u) << "nothing is put off any more";
    });
  });
}

TEST_F(TlbBatch, AnAddressSpaceMayEndMeanwhile) {
  story([&](Mm& mm) {
    write(mm, map(mm, 1, kRw, kBase), 1);
    Mm& child = **dup_mm(m, mm);
    read(child, kBase);
    unmapped(page_of(mm, kBase), [&](TlbUbc& ubc) {
      mmput(m, child);
      ubc.flush();
    });
  });
}

struct TlbBatchOfEach : TlbBatch {
  TlbBatchOfEach() : TlbBatch(false) {}
};

TEST_F(TlbBatchOfEach, NothingIsPutOff) {
  story([&](Mm& mm) {
    write(mm, map(mm, 1, kRw, kBase), 1);
    unmapped(page_of(mm, kBase), [&](TlbUbc&) { EXPECT_FALSE(is_cached(mm, kBase)); });
    EXPECT_EQ(mm.tlb_flush_pending.load(), 0u);
  });
}

}  // namespace
}  // namespace racier
