// core/mm/mlock_test.cc - pages that stay.
#include "core/mm/madvise.h"
#include "core/mm/mm_for_test.h"
#include "core/mm/reclaim.h"

namespace racier {
namespace {

struct Mlock : MmForTest {
  Status lock(Mm& mm, VirtAddr at, std::uint64_t pages) {
    return do_mlock(m, mm, {at, page_at(at, pages)});
  }
  Status unlock(Mm& mm, VirtAddr at, std::uint64_t pages) {
    return do_munlock(m, mm, {at, page_at(at, pages)});
  }
  void reclaim_all() {
    for (int i = 0; i < 4; ++i) shrink_lru(m, 64);
  }
};

TEST_F(Mlock, BringsPagesInAndKeepsThem) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 3);
    write(mm, page_at(at, 2), 7);
    EXPECT_EQ(lock(mm, at, 2), Status::kOk);
    EXPECT_EQ(drawn(mm, at, 3), "AAB");
    EXPECT_EQ(rss(mm), "3 3") << "pages of its own";
    reclaim_all();
    EXPECT_TRUE(pte(mm, at).present() && pte(mm, page_at(at, 1)).present());
    EXPECT_TRUE(pte(mm, page_at(at, 2)).is_swap());
    EXPECT_EQ(unlock(mm, at, 3), Status::kOk);
    reclaim_all();
    EXPECT_FALSE(pte(mm, at).present());
  });
}

TEST_F(Mlock, CountsAsUse) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    EXPECT_EQ(lock(mm, at, 1), Status::kOk);
    page_referenced(m, page_of(mm, at));
    EXPECT_EQ(page_referenced(m, page_of(mm, at)), 1);
    EXPECT_EQ(unlock(mm, at, 1), Status::kOk);
    page_referenced(m, page_of(mm, at));
    EXPECT_EQ(page_referenced(m, page_of(mm, at)), 0);
  });
}

TEST_F(Mlock, ChildrenAreNotLocked) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    EXPECT_EQ(lock(mm, at, 1), Status::kOk);
    Mm* const child = *dup_mm(m, mm);
    EXPECT_FALSE(child->vmas.find(at)->is(kVmLocked));
    EXPECT_TRUE(mm.vmas.find(at)->is(kVmLocked));
    mmput(m, *child);
  });
}

TEST_F(Mlock, RefusesWhatCannotBeBroughtIn) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2);
    EXPECT_EQ(lock(mm, at, 3), Status::kNoMemory) << "a hole";
    EXPECT_TRUE(mm.vmas.find(at)->is(kVmLocked)) << "what is before it";
    EXPECT_EQ(lock(mm, map(mm, 1, 0), 1), Status::kNoMemory) << "no access";
    const VirtAddr file = map_file(mm, 0, 2, m.file(0).size);
    EXPECT_EQ(lock(mm, file, 1), Status::kNoMemory) << "behind the end";
    EXPECT_EQ(lock(mm, at + 8, 1), Status::kInvalid);
    EXPECT_EQ(unlock(mm, page_at(at, 2), 1), Status::kNoMemory);
  });
}

TEST_F(Mlock, WhatIsAlikeAgainIsOneVmaAgain) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 5);
    write(mm, at, 1);  // one anon_vma for all
    EXPECT_EQ(lock(mm, page_at(at, 1), 1), Status::kOk);
    EXPECT_EQ(lock(mm, page_at(at, 3), 1), Status::kOk);
    EXPECT_EQ(drawn(mm, at, 5), "ABCDE");
    EXPECT_EQ(lock(mm, page_at(at, 2), 1), Status::kOk);
    EXPECT_EQ(drawn(mm, at, 5), "ABBBC") << "between two that are locked";
    EXPECT_TRUE(pte(mm, page_at(at, 2)).present());
    EXPECT_FALSE(pte(mm, page_at(at, 4)).present());
    EXPECT_EQ(unlock(mm, page_at(at, 3), 1), Status::kOk);
    EXPECT_EQ(drawn(mm, at, 5), "ABBCC");
    EXPECT_EQ(unlock(mm, at, 5), Status::kOk);
    EXPECT_EQ(drawn(mm, at, 5), "AAAAA");
    reclaim_all();
    EXPECT_TRUE(pte(mm, page_at(at, 1)).is_swap());
  });
}

TEST_F(Mlock, OverSeveralVmasTheyBecomeOne) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 4);
    EXPECT_EQ(lock(mm, page_at(at, 1), 1), Status::kOk);
    EXPECT_EQ(lock(mm, at, 4), Status::kOk);
    EXPECT_EQ(drawn(mm, at, 4), "AAAA");
    EXPECT_EQ(rss(mm), "4 4");
  });
}

TEST_F(Mlock, WithoutMemoryItSaysSo) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    current()->fail_nth = 1;
    EXPECT_EQ(lock(mm, at, 1), Status::kNoMemory);
    EXPECT_EQ(lock(mm, at, 1), Status::kOk);
  });
}

}  // namespace
}  // namespace racier
