// core/mm/zap_test.cc - ptes that go while their vma stays.
#include "core/mm/zap.h"

#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

using Zap = MmForTest;

TEST_F(Zap, TheVmaStaysAndStartsAnew) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 3);
    for (std::uint64_t i = 0; i < 3; ++i) write(mm, page_at(at, i), 1 + i);
    zap_page_range(m, *mm.vmas.first(), {page_at(at, 1), page_at(at, 2)});
    EXPECT_EQ(drawn(mm, at, 3), "AAA");
    EXPECT_EQ(rss(mm), "2 2");
    EXPECT_EQ(read(mm, at).value, 1u);
    EXPECT_EQ(read(mm, page_at(at, 1)).value, 0u);
    EXPECT_EQ(read(mm, page_at(at, 2)).value, 3u);
  });
}

TEST_F(Zap, DirtGoesToThePage) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2, kRw | kVmShared);
    read(mm, at);
    write(mm, page_at(at, 1), 5);
    Page& clean = page_of(mm, at);
    Page& dirty = page_of(mm, page_at(at, 1));
    zap_page_range(m, *mm.vmas.first(), {at, page_at(at, 2)});
    EXPECT_FALSE(clean.peek(PageFlag::kDirty));
    EXPECT_TRUE(dirty.peek(PageFlag::kDirty));
    EXPECT_TRUE(dirty.peek(PageFlag::kReferenced) || dirty.peek(PageFlag::kActive));
    EXPECT_EQ(read(mm, page_at(at, 1)).value, 5u);
  });
}

}  // namespace
}  // namespace racier
