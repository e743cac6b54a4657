// core/mm/compact_test.cc - pages that go down.
#include "core/mm/compact.h"

#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

struct CompactMemory : MmForTest {
  // Returns the greatest number of a frame that a page of the range is in.
  Pfn highest(Mm& mm, VirtAddr base, std::uint64_t pages) {
    Pfn pfn = 0;
    for (std::uint64_t i = 0; i < pages; ++i) {
      pfn = std::max(pfn, pte(mm, page_at(base, i)).pfn());
    }
    return pfn;
  }
};

TEST_F(CompactMemory, FillsHolesFromTheOtherEnd) {
  story([&](Mm& mm) {
    const VirtAddr low = map(mm, 8);
    const VirtAddr high = map(mm, 8);
    for (std::uint64_t i = 0; i < 8; ++i) write(mm, page_at(low, i), i);
    for (std::uint64_t i = 0; i < 8; ++i) write(mm, page_at(high, i), 10 + i);
    const Pfn before = highest(mm, high, 8);
    unmap(mm, low, 8);
    EXPECT_EQ(compact_memory(m, 3), 3);
    EXPECT_EQ(highest(mm, high, 8), before - 3);
    EXPECT_EQ(compact_memory(m, 100), 5);
    EXPECT_LT(highest(mm, high, 8), before - 7);
    EXPECT_EQ(compact_memory(m, 100), 0);
    for (std::uint64_t i = 0; i < 8; ++i) {
      EXPECT_EQ(read(mm, page_at(high, i)).value, 10 + i);
    }
  });
}

TEST_F(CompactMemory, LeavesWhatIsPinned) {
  story([&](Mm& mm) {
    const VirtAddr low = map(mm, 2);
    const VirtAddr high = map(mm, 2);
    write(mm, low, 1);
    write(mm, high, 2);
    write(mm, page_at(high, 1), 3);
    Page& pinned = page_of(mm, page_at(high, 1));
    get_page(pinned);
    unmap(mm, low, 2);
    EXPECT_EQ(compact_memory(m, 100), 1);
    EXPECT_EQ(&page_of(mm, page_at(high, 1)), &pinned);
    EXPECT_EQ(read(mm, high).value, 2u);
    put_page(m, pinned);
  });
}

}  // namespace
}  // namespace racier
