// core/mm/swap_test.cc - slots, their counts, and the swap cache.
#include "core/mm/swap.h"

#include "core/base/invariant.h"
#include "core/mm/filemap.h"
#include "core/mm/mm_for_test.h"
#include "core/mm/reclaim.h"

namespace racier {
namespace {

struct SwapTest : MmForTest {
  SwapTest() : MmForTest({.frames = 128, .slab_pages = 32, .swap_slots = 4}) {}

  SwapArea& area = *m.swap.info[0];

  // References to each of the usable slots: "1 0 0".  The only task may look.
  std::string slots() NO_THREAD_SAFETY_ANALYSIS {
    std::string text;
    for (std::uint32_t slot = 1; slot < area.max; ++slot) {
      text += (slot == 1 ? "" : " ") + std::to_string(area.count(slot));
    }
    return text;
  }

  void set_references(std::uint32_t slot,
                      std::uint16_t count) NO_THREAD_SAFETY_ANALYSIS {
    area.set_count(slot, count);
  }

  // Takes the page at `addr` away from everybody; it stays in the swap cache, dirty.
  Page& swap_out(Mm& mm, VirtAddr addr) {
    Page& page = page_of(mm, addr);
    get_page(page);
    lock_page(m, page);
    EXPECT_TRUE(add_to_swap(m, page));
    page_referenced(m, page);  // nobody has used it lately
    EXPECT_EQ(try_to_unmap(m, page), Unmap::kSuccess);
    unlock_page(m, page);
    put_page(m, page);
    return page;
  }
  bool shared_by_one(Page& page) {
    lock_page(m, page);
    const bool one = can_share_swap_page(m, page);
    unlock_page(m, page);
    return one;
  }
  // Writes it to its slot, and drops it from memory.
  void write_out(Page& page) {
    get_page(page);
    lock_page(m, page);
    EXPECT_TRUE(swap_writepage(m, page));
    EXPECT_TRUE(remove_clean_swap_page(m, page));
    unlock_page(m, page);
    put_page(m, page);
  }
};

TEST_F(SwapTest, SlotsAreHandedOutLowestFirstAndComeBack) {
  EXPECT_EQ(tell([&] {
              EXPECT_EQ(get_swap_page(m).val, 1u);
              EXPECT_EQ(get_swap_page(m).val, 2u);
              EXPECT_EQ(swap_duplicate(m, {1}), Status::kOk);
              EXPECT_EQ(slots(), "2 1 0");
              swap_free(m, {2});
              swap_free(m, {1});
              EXPECT_EQ(slots(), "1 0 0");
              EXPECT_EQ(get_swap_page(m).val, 2u);
              EXPECT_EQ(get_swap_page(m).val, 3u);
              EXPECT_FALSE(get_swap_page(m)) << "full";
            }),
            "");
}

TEST_F(SwapTest, ASlotThatIsNotInUseCannotBeDuplicated) {
  EXPECT_EQ(tell([&] {
              EXPECT_EQ(swap_duplicate(m, {1}), Status::kNoEntry);
              EXPECT_EQ(swap_duplicate(m, {0}), Status::kNoEntry);
              EXPECT_EQ(swap_duplicate(m, {99}), Status::kNoEntry);
            }),
            "");
}

// In 2.6.9 "a count that has overflowed is stuck until swapoff".
TEST_F(SwapTest, ACountThatReachesTheLimitStaysThere) {
  EXPECT_EQ(tell([&] {
              EXPECT_TRUE(get_swap_page(m));
              set_references(1, kSwapMapMax - 2);
              EXPECT_EQ(swap_duplicate(m, {1}), Status::kOk);
              EXPECT_EQ(slots(), "32766 0 0");
              EXPECT_EQ(swap_duplicate(m, {1}), Status::kOk);
              EXPECT_EQ(swap_duplicate(m, {1}), Status::kOk);
              EXPECT_EQ(slots(), "32767 0 0");
              EXPECT_EQ(swap_free(m, {1}), kSwapMapMax);
              EXPECT_EQ(slots(), "32767 0 0");
              set_references(1, 1);
              EXPECT_EQ(swap_free(m, {1}), 0);
            }),
            "");
}

TEST_F(SwapTest, AForkSharesASlotWhoseCountIsStuck) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    write_out(swap_out(mm, at));
    set_references(1, kSwapMapMax);
    const Result<Mm*> child = dup_mm(m, mm);
    ASSERT_TRUE(child);
    EXPECT_EQ(slots(), "32767 0 0");
    EXPECT_EQ(read(**child, at).value, 5u);
    EXPECT_EQ(read(mm, at).value, 5u);
    EXPECT_EQ(slots(), "32767 0 0");
    mmput(m, **child);
    forget_stuck_counts(m);
    EXPECT_EQ(slots(), "1 0 0") << "the swap cache alone";
  });
  EXPECT_EQ(slots(), "0 0 0");
}

TEST_F(SwapTest, AForkOfAPteToAFreeSlotIsAFinding) {
  const std::string finding = tell([&] {
    Mm* const mm = mm_create(m);
    const VirtAddr at = map(*mm, 1);
    write(*mm, at, 5);
    write_out(swap_out(*mm, at));
    set_references(1, 0);
    static_cast<void>(dup_mm(m, *mm));
  });
  EXPECT_NE(finding.find(inv::row(Inv::kSwapSlotInUse).sentence), std::string::npos);
}

TEST_F(SwapTest, FreeingAFreeSlotIsAFinding) {
  const std::string finding = tell([&] { swap_free(m, {2}); });
  EXPECT_NE(finding.find(inv::row(Inv::kSwapSlotInUse).sentence), std::string::npos);
}

TEST_F(SwapTest, APageComesBackWithItsContent) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at + 8, 77);
    write_out(swap_out(mm, at));
    EXPECT_EQ(slots(), "1 0 0");
    EXPECT_EQ(rss(mm), "0 0");
    EXPECT_EQ(read(mm, at + 8).value, 77u);
    EXPECT_EQ(rss(mm), "1 1");
  });
  EXPECT_EQ(slots(), "0 0 0");
}

TEST_F(SwapTest, APageStillInTheCacheComesBackWithoutARead) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Page& page = swap_out(mm, at);
    EXPECT_EQ(slots(), "2 0 0") << "the pte's and the cache's";
    EXPECT_EQ(read(mm, at).value, 5u);
    EXPECT_EQ(&page_of(mm, at), &page);
    EXPECT_EQ(slots(), "1 0 0");
  });
}

TEST_F(SwapTest, ParentAndChildBothFindASwappedPage) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Mm& child = **dup_mm(m, mm);
    write_out(swap_out(mm, at));
    EXPECT_EQ(slots(), "2 0 0");
    write(child, at, 6);
    EXPECT_EQ(read(mm, at).value, 5u);
    EXPECT_EQ(read(child, at).value, 6u);
    mmput(m, child);
  });
  EXPECT_EQ(slots(), "0 0 0");
}

TEST_F(SwapTest, ExitFreesTheSlotOfASwappedPage) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    write_out(swap_out(mm, at));
  });
  EXPECT_EQ(slots(), "0 0 0");
}

TEST_F(SwapTest, APinIsNoUse) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Page& page = page_of(mm, at);
    get_page(page);
    EXPECT_TRUE(shared_by_one(page)) << "one pte, and a pin";
    Mm& child = **dup_mm(m, mm);
    EXPECT_FALSE(shared_by_one(page)) << "two ptes";
    mmput(m, child);
    EXPECT_TRUE(shared_by_one(page));
    put_page(m, page);
  });
}

TEST_F(SwapTest, SharedMemoryGoesToSwapAndBack) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1, kRw | kVmShared);
    write(mm, at, 5);
    EXPECT_EQ(shrink_lru(m, 1), 1);
    EXPECT_EQ(slots(), "1 0 0") << "the mapping's own reference";
    EXPECT_TRUE(pte(mm, at).none());
    EXPECT_EQ(read(mm, at).value, 5u);
    EXPECT_EQ(slots(), "0 0 0");
    EXPECT_TRUE(page_of(mm, at).peek(PageFlag::kSwapBacked));
    EXPECT_EQ(shrink_lru(m, 1), 1) << "it can go again";
  });
  EXPECT_EQ(slots(), "0 0 0") << "a file that goes away frees its slots";
}

TEST_F(SwapTest, SharedMemoryStaysIfThereIsNoSlot) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1, kRw | kVmShared);
    write(mm, at, 5);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(get_swap_page(m));
    EXPECT_EQ(shrink_lru(m, 1), 0);
    EXPECT_EQ(read(mm, at).value, 5u);
    for (std::uint32_t slot = 1; slot < 4; ++slot) swap_free(m, {slot});
  });
}

TEST_F(SwapTest, ShuttingDownDropsWhatOnlyTheCacheKeeps) {
  EXPECT_EQ(tell([&] {
              Mm* const mm = mm_create(m);
              const VirtAddr at = map(*mm, 1);
              write(*mm, at, 5);
              Page& page = swap_out(*mm, at);
              lock_page(m, page);  // so that exit cannot drop it
              get_page(page);
              mmput(m, *mm);
              unlock_page(m, page);
              put_page(m, page);
              EXPECT_EQ(slots(), "1 0 0");
              drop_unused_swap_cache(m);
              EXPECT_EQ(slots(), "0 0 0");
            }),
            "");
  expect_nothing_left();
}

struct SwapLockTest : MmForTest {
  SwapLockTest()
      : MmForTest({.frames = 128,
                   .slab_pages = 32,
                   .swap_slots = 4,
                   .period = {.swap_lock = SwapLocking::kGlobal}}) {}
  SwapArea& area = *m.swap.info[0];
};

TEST_F(SwapLockTest, OneLockIsInThePlaceOfBoth) {
  EXPECT_STREQ(m.swap.swap_list_lock.lock_class().name, "swap_lock");
  EXPECT_EQ(tell([&] {
              const SpinGuard device(area.swap_device_lock);
              swap_free(m, get_swap_page(m));
            }),
            "");
  boot(m, run);
  EXPECT_STREQ(m.swap.swap_list_lock.lock_class().name, "swap_lock");
}

}  // namespace
}  // namespace racier
