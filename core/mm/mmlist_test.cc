// core/mm/mmlist_test.cc - who joins the mmlist, and who leaves it.
#include "core/mm/mmlist.h"

#include "core/mm/mm_for_test.h"
#include "core/mm/reclaim.h"
#include "core/mm/swap.h"
#include "core/mm/swapon.h"

namespace racier {
namespace {

struct MmlistTest : MmForTest {
  MmlistTest() : MmForTest({.frames = 128, .slab_pages = 32, .swap_areas = 2}) {}

  // The members, first to last: "mm 2, mm 1".  The only task may look.
  std::string members() {
    std::string text;
    for (MmListNode* node = m.mmlist.next.peek(); node != &m.mmlist;
         node = node->next.peek()) {
      text += (text.empty() ? "mm " : ", mm ") + std::to_string(node->mm->id);
    }
    return text;
  }
  // Takes the page at `addr` away from everybody; it stays in the swap cache.
  void swap_out(Mm& mm, VirtAddr addr) { unmap_everywhere(page_of(mm, addr)); }
};

TEST_F(MmlistTest, AMmJoinsWithItsFirstPageInSwapAndLeavesWhenItExits) {
  story([&](Mm& mm) {
    Mm* const other = mm_create(m);
    const VirtAddr at = map(mm, 2);
    const VirtAddr there = map(*other, 1);
    write(mm, at, 5);
    write(mm, at + kPageSize, 6);
    write(*other, there, 7);
    EXPECT_EQ(members(), "");
    swap_out(mm, at);
    EXPECT_EQ(members(), "mm 1");
    swap_out(mm, at + kPageSize);
    EXPECT_EQ(members(), "mm 1") << "once";
    swap_out(*other, there);
    EXPECT_EQ(members(), "mm 2, mm 1");
    mmput(m, *other);
    EXPECT_EQ(members(), "mm 1");
  });
  EXPECT_EQ(members(), "");
}

TEST_F(MmlistTest, AChildJoinsBehindItsParentIfItGetsAnEntry) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Mm* const early = *dup_mm(m, mm);
    EXPECT_EQ(members(), "");
    swap_out(mm, at);
    EXPECT_EQ(members(), "mm 2, mm 1") << "whom the walk came to last is first";
    Mm* const late = *dup_mm(m, *early);
    EXPECT_EQ(members(), "mm 2, mm 3, mm 1");
    Mm* const last = *dup_mm(m, mm);
    EXPECT_EQ(members(), "mm 2, mm 3, mm 1, mm 4");
    for (Mm* const child : {early, late, last}) mmput(m, *child);
  });
}

TEST_F(MmlistTest, AllLeaveWhenNoSwapIsInUseAtAll) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    swap_out(mm, at);
    drain_mmlist(m);
    EXPECT_EQ(members(), "mm 1") << "a slot is in use";
    EXPECT_EQ(do_swapon(m, 1, 0), Status::kOk);
    EXPECT_EQ(do_swapoff(m, 1), Status::kOk);
    EXPECT_EQ(members(), "mm 1") << "of whatever area";
    EXPECT_EQ(do_swapoff(m, 0), Status::kOk);
    EXPECT_EQ(members(), "");
    EXPECT_EQ(read(mm, at).value, 5u);
  });
}

TEST_F(MmlistTest, AWalkPassesOverWhoHasNoUser) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Mm* const child = *dup_mm(m, mm);
    swap_out(mm, at);
    ASSERT_EQ(members(), "mm 2, mm 1");
    child->mm_users.set(0);
    bool dying = false;
    Mm* const first = mmlist_next(m, m.mmlist, dying);
    EXPECT_EQ(first, &mm);
    EXPECT_TRUE(dying);
    EXPECT_EQ(mmlist_next(m, mm.mmlist, dying), nullptr);
    EXPECT_EQ(child->mm_users.read(), 0);
    child->mm_users.set(1);
    mmput(m, *child);
    mmput(m, *first);
  });
}

}  // namespace
}  // namespace racier
