// core/mm/reclaim_test.cc - page_referenced, try_to_unmap, and who is chosen.
#include "core/mm/reclaim.h"

#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/filemap.h"
#include "core/mm/mm_for_test.h"
#include "core/mm/swap.h"

namespace racier {
namespace {

struct Reclaim : MmForTest {
  Reclaim() : MmForTest({.frames = 64, .slab_pages = 32, .swap_slots = 64}) {}

  template <typename Work>
  void with_locked(Page& page, Work work) {
    get_page(page);
    lock_page(m, page);
    work();
    unlock_page(m, page);
    put_page(m, page);
  }
};

TEST_F(Reclaim, ReferencedCountsEachPteOnce) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 1);
    Mm& child = **dup_mm(m, mm);
    read(child, at);
    read(mm, at);
    Page& page = page_of(mm, at);
    with_locked(page, [&] {
      EXPECT_EQ(page_referenced(m, page), 2);
      EXPECT_EQ(page_referenced(m, page), 0) << "the marks were cleared";
      read(child, at);
      EXPECT_EQ(page_referenced(m, page), 1) << "a cached translation marks again";
    });
    mmput(m, child);
  });
}

TEST_F(Reclaim, UnmapTakesThePageFromEverybody) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 1);
    Mm& child = **dup_mm(m, mm);
    Page& page = page_of(mm, at);
    with_locked(page, [&] {
      EXPECT_TRUE(add_to_swap(m, page));
      page_referenced(m, page);
      EXPECT_EQ(try_to_unmap(m, page), Unmap::kSuccess);
    });
    EXPECT_TRUE(pte(mm, at).is_swap());
    EXPECT_TRUE(pte(child, at).is_swap());
    EXPECT_EQ(rss(mm) + " " + rss(child), "0 0 0 0");
    mmput(m, child);
  });
}

TEST_F(Reclaim, UnmapSparesAPageThatWasJustUsed) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 1);
    Page& page = page_of(mm, at);
    with_locked(page, [&] {
      EXPECT_TRUE(add_to_swap(m, page));
      EXPECT_EQ(try_to_unmap(m, page), Unmap::kFail);
    });
    EXPECT_TRUE(pte(mm, at).present());
  });
}

TEST_F(Reclaim, UnmapWithoutThePageLockIsAFinding) {
  const std::string finding = tell([&] {
    Mm* const mm = mm_create(m);
    const VirtAddr at = map(*mm, 1);
    write(*mm, at, 1);
    try_to_unmap(m, page_of(*mm, at));
  });
  EXPECT_NE(finding.find(inv::row(Inv::kUnmapHoldsPageLock).sentence),
            std::string::npos);
}

TEST_F(Reclaim, UnmapOfAnAnonymousPageWithoutASlotIsAFinding) {
  const std::string finding = tell([&] {
    Mm* const mm = mm_create(m);
    const VirtAddr at = map(*mm, 1);
    write(*mm, at, 1);
    Page& page = page_of(*mm, at);
    with_locked(page, [&] {
      page_referenced(m, page);
      try_to_unmap(m, page);
    });
  });
  EXPECT_NE(finding.find(inv::row(Inv::kUnmapAnonIsInSwapCache).sentence),
            std::string::npos);
}

TEST_F(Reclaim, MoreMemoryThanFramesKeepsItsContent) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 90);
    for (std::uint64_t i = 0; i < 90; ++i) write(mm, page_at(at, i), 1000 + i);
    for (std::uint64_t i = 0; i < 90; ++i) {
      EXPECT_EQ(read(mm, page_at(at, i)).value, 1000 + i) << i;
    }
  });
}

TEST_F(Reclaim, OutOfFramesAndSwapIsNoMemory) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 200);
    std::uint64_t written = 0;
    while (written < 200 && try_write(mm, page_at(at, written), 1) == Status::kOk) {
      ++written;
    }
    EXPECT_GT(written, 100u) << "frames and swap were used";
    EXPECT_LT(written, 200u);
  });
}

TEST_F(Reclaim, CleanFilePagesGoWithoutSwap) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 0, 4);
    for (std::uint64_t i = 0; i < 4; ++i) read(mm, page_at(at, i));
    EXPECT_EQ(shrink_lru(m, 4), 4);
    EXPECT_EQ(rss(mm), "0 0");
    EXPECT_EQ(read(mm, page_at(at, 2)).value, file_word(0, 2, 0));
    unmap(mm, at, 4);
    truncate_inode_pages(m, m.file(0));
  });
}

TEST_F(Reclaim, TheLeastUsedGoesFirst) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 8);
    for (std::uint64_t i = 0; i < 8; ++i) write(mm, page_at(at, i), 1);
    for (std::uint64_t i = 0; i < 8; ++i) {
      page_referenced(m, page_of(mm, page_at(at, i)));
    }
    read(mm, page_at(at, 0));  // the oldest, but used since
    EXPECT_GE(shrink_lru(m, 1), 1);
    EXPECT_TRUE(pte(mm, page_at(at, 0)).present());
    EXPECT_TRUE(pte(mm, page_at(at, 1)).is_swap());
  });
}

}  // namespace
}  // namespace racier
