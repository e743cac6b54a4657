// core/mm/madvise_test.cc - pages that are given back, and mappings that children lack.
#include "core/mm/madvise.h"

#include "core/mm/mm_for_test.h"
#include "core/mm/reclaim.h"

namespace racier {
namespace {

struct Madvise : MmForTest {
  Status try_advise(Mm& mm, VirtAddr at, std::uint64_t pages, Advice advice) {
    return do_madvise(m, mm, {at, page_at(at, pages)}, advice);
  }
  void advise(Mm& mm, VirtAddr at, std::uint64_t pages, Advice advice) {
    EXPECT_EQ(try_advise(mm, at, pages, advice), Status::kOk);
  }
  void reclaim_all() {
    for (int i = 0; i < 4; ++i) shrink_lru(m, 64);
  }
};

TEST_F(Madvise, WhatIsNotNeededIsGone) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 3);
    for (std::uint64_t i = 0; i < 3; ++i) write(mm, page_at(at, i), 1 + i);
    advise(mm, page_at(at, 1), 1, Advice::kDontneed);
    EXPECT_EQ(rss(mm), "2 2");
    EXPECT_EQ(drawn(mm, at, 3), "AAA");
    EXPECT_EQ(read(mm, page_at(at, 1)).value, 0u);
    EXPECT_EQ(read(mm, page_at(at, 2)).value, 3u);
  });
}

TEST_F(Madvise, AHoleIsPassedBy) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 3);
    write(mm, at, 1);
    write(mm, page_at(at, 2), 3);
    unmap(mm, page_at(at, 1), 1);
    EXPECT_EQ(try_advise(mm, at, 3, Advice::kDontneed), Status::kNoMemory);
    EXPECT_EQ(rss(mm), "0 0");
    EXPECT_EQ(try_advise(mm, page_at(at, 3), 1, Advice::kDontneed), Status::kNoMemory);
    EXPECT_EQ(try_advise(mm, at + 8, 1, Advice::kDontneed), Status::kInvalid);
    EXPECT_EQ(try_advise(mm, at, 0, Advice::kDontneed), Status::kInvalid);
  });
}

TEST_F(Madvise, WhatIsFreedStaysUntilReclaimComes) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2);
    write(mm, at, 1);
    write(mm, page_at(at, 1), 2);
    advise(mm, at, 2, Advice::kFree);
    EXPECT_FALSE(pte(mm, at).dirty() || pte(mm, at).young());
    EXPECT_EQ(read(mm, at).value, 1u);
    write(mm, page_at(at, 1) + 8, 3);
    reclaim_all();
    EXPECT_TRUE(pte(mm, at).none()) << "dropped";
    EXPECT_TRUE(pte(mm, page_at(at, 1)).is_swap()) << "kept";
    EXPECT_EQ(read(mm, page_at(at, 1)).value, 2u);
  });
}

TEST_F(Madvise, APageThatSomebodyHasAReferenceToIsNotDropped) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 1);
    Page& page = page_of(mm, at);
    get_page(page);
    advise(mm, at, 1, Advice::kFree);
    reclaim_all();
    EXPECT_EQ(read(mm, at).value, 1u);
    put_page(m, page);
  });
}

TEST_F(Madvise, WhatIsSharedIsNotFreed) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 1);
    Mm* const child = *dup_mm(m, mm);
    advise(mm, at, 1, Advice::kFree);
    EXPECT_TRUE(pte(mm, at).dirty());
    reclaim_all();
    EXPECT_EQ(read(*child, at).value, 1u);
    mmput(m, *child);
  });
}

TEST_F(Madvise, FreedSwapIsGoneAtOnce) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 1);
    advise(mm, at, 1, Advice::kPageout);
    ASSERT_TRUE(pte(mm, at).is_swap());
    advise(mm, at, 1, Advice::kFree);
    EXPECT_TRUE(pte(mm, at).none());
  });
}

TEST_F(Madvise, AFreedPageOfTheSwapCacheLeavesIt) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 1);
    advise(mm, at, 1, Advice::kPageout);
    read(mm, at);
    Page& page = page_of(mm, at);
    ASSERT_TRUE(page.peek(PageFlag::kSwapCache));
    advise(mm, at, 1, Advice::kFree);
    EXPECT_FALSE(page.peek(PageFlag::kSwapCache) || page.peek(PageFlag::kDirty));
    reclaim_all();
    EXPECT_TRUE(pte(mm, at).none());
  });
}

TEST_F(Madvise, OnlyPrivateAnonymousMemoryIsFreedOrWiped) {
  story([&](Mm& mm) {
    const VirtAddr shared = map(mm, 1, kRw | kVmShared);
    const VirtAddr file = map_file(mm, 0, 1);
    for (const VirtAddr at : {shared, file}) {
      EXPECT_EQ(try_advise(mm, at, 1, Advice::kFree), Status::kInvalid);
      EXPECT_EQ(try_advise(mm, at, 1, Advice::kWipeonfork), Status::kInvalid);
    }
  });
}

TEST_F(Madvise, ChildrenLackWhatIsNotForThem) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 3);
    for (std::uint64_t i = 0; i < 3; ++i) write(mm, page_at(at, i), 1 + i);
    advise(mm, at, 1, Advice::kDontfork);
    advise(mm, page_at(at, 1), 1, Advice::kWipeonfork);
    EXPECT_EQ(drawn(mm, at, 3), "ABC");
    Mm* const child = *dup_mm(m, mm);
    EXPECT_EQ(drawn(*child, at, 3), ".AB");
    EXPECT_EQ(rss(*child), "1 1");
    EXPECT_EQ(read(*child, page_at(at, 1)).value, 0u);
    write(*child, page_at(at, 1), 9);
    EXPECT_EQ(read(mm, page_at(at, 1)).value, 2u);
    mmput(m, *child);
    advise(mm, at, 1, Advice::kDofork);
    advise(mm, page_at(at, 1), 1, Advice::kKeeponfork);
    Mm* const second = *dup_mm(m, mm);
    EXPECT_EQ(read(*second, at).value, 1u);
    EXPECT_EQ(read(*second, page_at(at, 1)).value, 2u);
    mmput(m, *second);
  });
}

TEST_F(Madvise, WhatIsAlikeAgainIsOneVmaAgain) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 4);
    for (std::uint64_t i = 0; i < 4; ++i) write(mm, page_at(at, i), 1 + i);
    advise(mm, page_at(at, 1), 2, Advice::kDontfork);
    EXPECT_EQ(drawn(mm, at, 4), "ABBC");
    advise(mm, page_at(at, 3), 1, Advice::kDontfork);
    EXPECT_EQ(drawn(mm, at, 4), "ABBB");
    advise(mm, page_at(at, 1), 1, Advice::kDofork);
    EXPECT_EQ(drawn(mm, at, 4), "AABB");
    advise(mm, at, 4, Advice::kDofork);
    EXPECT_EQ(drawn(mm, at, 4), "AAAA");
    advise(mm, at, 1, Advice::kWipeonfork);
    advise(mm, page_at(at, 2), 2, Advice::kWipeonfork);
    EXPECT_EQ(drawn(mm, at, 4), "ABCC");
    advise(mm, at, 4, Advice::kKeeponfork);
    EXPECT_EQ(drawn(mm, at, 4), "AAAA");
    for (std::uint64_t i = 0; i < 4; ++i) {
      EXPECT_EQ(read(mm, page_at(at, i)).value, 1 + i);
      EXPECT_EQ(page_referenced(m, page_of(mm, page_at(at, i))), 1);
    }
  });
}

TEST_F(Madvise, WithoutMemoryForASplitNothingChanges) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2);
    current()->fail_nth = 1;
    EXPECT_EQ(try_advise(mm, at, 1, Advice::kDontfork), Status::kNoMemory);
    EXPECT_EQ(drawn(mm, at, 2), "AA");
    EXPECT_FALSE(mm.vmas.find(at)->is(kVmDontCopy));
  });
}

}  // namespace
}  // namespace racier
