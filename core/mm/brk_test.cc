// core/mm/brk_test.cc - a heap that grows and shrinks.
#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

using Brk = MmForTest;

TEST_F(Brk, StartsEmptyAndGrowsInOneVma) {
  story([&](Mm& mm) {
    const VirtAddr heap = mm.start_brk;
    EXPECT_EQ(mm.brk, heap);
    EXPECT_EQ(do_brk(m, mm, page_at(heap, 2)), page_at(heap, 2));
    write(mm, page_at(heap, 1), 7);
    EXPECT_EQ(do_brk(m, mm, page_at(heap, 5)), page_at(heap, 5));
    EXPECT_EQ(drawn(mm, heap, 6), "AAAAA.");
    EXPECT_EQ(read(mm, page_at(heap, 1)).value, 7u);
    EXPECT_EQ(read(mm, page_at(heap, 4)).value, 0u);
  });
}

TEST_F(Brk, ShrinksAndForgets) {
  story([&](Mm& mm) {
    const VirtAddr heap = mm.start_brk;
    do_brk(m, mm, page_at(heap, 4));
    write(mm, page_at(heap, 3), 7);
    EXPECT_EQ(do_brk(m, mm, page_at(heap, 2)), page_at(heap, 2));
    EXPECT_EQ(drawn(mm, heap, 4), "AA..");
    EXPECT_EQ(rss(mm), "0 0");
    do_brk(m, mm, page_at(heap, 4));
    EXPECT_EQ(read(mm, page_at(heap, 3)).value, 0u);
    EXPECT_EQ(do_brk(m, mm, heap), heap);
    EXPECT_EQ(mm.map_count, 0);
  });
}

TEST_F(Brk, EndsInTheMiddleOfAPage) {
  story([&](Mm& mm) {
    const VirtAddr heap = mm.start_brk;
    EXPECT_EQ(do_brk(m, mm, heap + 1), heap + 1);
    EXPECT_EQ(drawn(mm, heap, 2), "A.");
    EXPECT_EQ(do_brk(m, mm, heap + kPageSize), heap + kPageSize);
    EXPECT_EQ(drawn(mm, heap, 2), "A.");
    EXPECT_EQ(do_brk(m, mm, heap + kPageSize + 8), heap + kPageSize + 8);
    EXPECT_EQ(drawn(mm, heap, 3), "AA.");
  });
}

TEST_F(Brk, StaysWhereItIsIfItCannotMove) {
  story([&](Mm& mm) {
    const VirtAddr heap = mm.start_brk;
    do_brk(m, mm, page_at(heap, 2));
    map(mm, 1, kRw, page_at(heap, 5));
    EXPECT_EQ(do_brk(m, mm, heap - 1), page_at(heap, 2));
    EXPECT_EQ(do_brk(m, mm, page_at(heap, 5)), page_at(heap, 2));  // no page in between
    EXPECT_EQ(do_brk(m, mm, page_at(heap, 6)), page_at(heap, 2));
    EXPECT_EQ(do_brk(m, mm, ~0ull), page_at(heap, 2));
    EXPECT_EQ(do_brk(m, mm, page_at(heap, 4)), page_at(heap, 4));
    EXPECT_EQ(drawn(mm, heap, 6), "AAAA.B");
  });
}

TEST_F(Brk, DoesNotExtendWhatHasChanged) {
  story([&](Mm& mm) {
    const VirtAddr heap = mm.start_brk;
    do_brk(m, mm, page_at(heap, 2));
    protect(mm, page_at(heap, 1), 1, kVmRead);
    do_brk(m, mm, page_at(heap, 4));
    EXPECT_EQ(drawn(mm, heap, 4), "ABCC");
    EXPECT_EQ(try_write(mm, page_at(heap, 1), 1), Status::kFault);
    write(mm, page_at(heap, 2), 1);
  });
}

TEST_F(Brk, ReverseMapFollowsTheGrowth) {
  story([&](Mm& mm) {
    const VirtAddr heap = mm.start_brk;
    do_brk(m, mm, page_at(heap, 1));
    write(mm, heap, 1);
    do_brk(m, mm, page_at(heap, 3));
    write(mm, page_at(heap, 2), 1);
    int shown = 0;
    m.scheme().walk(page_of(mm, page_at(heap, 2)), [&](const rmap::Mapping& at) {
      EXPECT_EQ(at.addr, page_at(heap, 2));
      ++shown;
      return rmap::Walk::kContinue;
    });
    EXPECT_EQ(shown, 1);
  });
}

TEST_F(Brk, WithoutMemoryItStays) {
  story([&](Mm& mm) {
    current()->fail_nth = 1;
    EXPECT_EQ(do_brk(m, mm, page_at(mm.start_brk, 1)), mm.start_brk);
    EXPECT_EQ(mm.map_count, 0);
  });
}

}  // namespace
}  // namespace racier
