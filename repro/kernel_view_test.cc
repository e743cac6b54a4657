// repro/kernel_view_test.cc - vmas that merge, ptes that are known.
#include "repro/kernel_view.h"

#include <gtest/gtest.h>

#include "core/objects/vma.h"

namespace racier::repro {
namespace {

constexpr VirtAddr kBase = 0x400000;
constexpr VirtAddr at(std::uint64_t page) { return kBase + page * kPageSize; }
constexpr std::uint32_t kRw = kVmRead | kVmWrite;

Area anon(std::uint64_t first, std::uint64_t end, std::uint32_t access = kRw) {
  Area area;
  area.range = {at(first), at(end)};
  area.access = access;
  return area;
}

Area file(std::uint64_t first, std::uint64_t end, std::uint32_t access = kVmRead) {
  Area area = anon(first, end, access);
  area.file = "f";
  area.pgoff = first;
  return area;
}

// The vmas as a map, a page a letter: r, w (private), a (accounted, not writable), "."
// for none; each vma starts with a capital.
std::string picture(const KernelView& view, std::uint64_t pages) {
  std::string text(pages, '.');
  for (const Area& area : view.areas()) {
    const bool writable = (area.access & kVmWrite) != 0;
    const char letter = writable ? 'w' : area.accounted ? 'a' : 'r';
    const std::uint64_t first = (area.range.start - kBase) >> kPageShift;
    for (std::uint64_t i = 0; i < area.range.pages(); ++i) text[first + i] = letter;
    text[first] = static_cast<char>(letter - 'a' + 'A');
  }
  return text;
}

constexpr int kNow = 1;

TEST(KernelView, NeighboursMergeAndSplit) {
  KernelView view;
  view.map(anon(0, 2));
  view.map(anon(2, 4));
  EXPECT_EQ(picture(view, 6), "Wwww..");
  view.unmap({at(1), at(2)});
  EXPECT_EQ(picture(view, 6), "W.Ww..");
  view.map(anon(1, 2));
  EXPECT_EQ(picture(view, 6), "Wwww..");
}

TEST(KernelView, FilesMergeOnlyWhereTheirPagesGoOn) {
  KernelView view;
  view.map(file(0, 2));
  view.map(file(2, 4));
  EXPECT_EQ(picture(view, 4), "Rrrr");
  Area elsewhere = file(4, 5);
  elsewhere.pgoff = 9;
  view.map(elsewhere);
  EXPECT_EQ(picture(view, 5), "RrrrR");
}

TEST(KernelView, WhatWasWritableStaysApart) {
  KernelView view;
  view.map(file(0, 2));
  view.map(file(2, 4, kRw));
  view.protect({at(2), at(3)}, kVmRead);
  EXPECT_EQ(picture(view, 4), "RrAW");
  EXPECT_EQ(view.kept_apart(at(2)), KernelView::Apart::kAccounted);
  EXPECT_EQ(view.kept_apart(at(3)), KernelView::Apart::kNothing);
}

TEST(KernelView, DifferentAnonVmasStayApart) {
  KernelView view;
  view.map(anon(0, 1));
  view.map(anon(2, 3));
  view.touched(at(0), true, true, kNow);
  view.touched(at(2), true, true, kNow);
  view.map(anon(1, 2));  // joins the one below
  EXPECT_EQ(picture(view, 3), "WwW");
  EXPECT_EQ(view.kept_apart(at(2)), KernelView::Apart::kAnonVma);
}

TEST(KernelView, WhatIsResizedStaysOne) {
  KernelView view;
  view.map(file(0, 3));
  view.resize({at(1), at(3)}, {at(1), at(5)});
  EXPECT_EQ(picture(view, 6), "Rrrrr.");
  EXPECT_EQ(view.find(at(4))->pgoff, 0u);
  view.resize({at(0), at(5)}, {at(0), at(2)});
  EXPECT_EQ(picture(view, 6), "Rr....");
}

TEST(KernelView, WhatMovesTakesItsPagesAlong) {
  KernelView view;
  view.map(anon(0, 4));
  view.touched(at(1), true, true, kNow);
  view.touched(at(2), true, true, kNow);
  view.move({at(1), at(3)}, {at(8), at(9)});
  EXPECT_EQ(picture(view, 10), "W..W....W.");
  EXPECT_NE(view.page(at(8)), nullptr);
  EXPECT_EQ(view.page(at(1)), nullptr);
  EXPECT_EQ(view.page(at(9)), nullptr) << "it has become smaller";
  view.map(anon(7, 8));
  EXPECT_EQ(picture(view, 10), "W..W...Ww.");
}

TEST(KernelView, ANeighbourLendsItsAnonVma) {
  KernelView view;
  view.map(anon(0, 2));
  view.touched(at(0), true, true, kNow);
  view.protect({at(1), at(2)}, kVmRead);
  view.protect({at(1), at(2)}, kRw);
  EXPECT_EQ(picture(view, 2), "Ww");
}

TEST(KernelView, AReadOfAFileMapsItsNeighbours) {
  KernelView view;
  view.map(file(3, 40));
  view.touched(at(20), false, true, 7);
  EXPECT_FALSE(view.mapped_ahead(at(15)));
  EXPECT_EQ(view.mapped_ahead(at(16)), 7);
  EXPECT_EQ(view.mapped_ahead(at(31)), 7);
  EXPECT_FALSE(view.mapped_ahead(at(32)));
  view.touched(at(4), false, true, 8);  // the vma starts inside of the window
  EXPECT_EQ(view.mapped_ahead(at(18)), 8);
  EXPECT_EQ(view.mapped_ahead(at(19)), 7);
}

TEST(KernelView, NeitherWritesNorAnonymousReadsMapAhead) {
  KernelView view;
  view.map(file(0, 8, kRw));
  view.map(anon(8, 16));
  view.touched(at(2), true, true, kNow);
  view.touched(at(10), false, true, kNow);
  EXPECT_FALSE(view.mapped_ahead(at(3)));
  EXPECT_FALSE(view.mapped_ahead(at(11)));
}

TEST(KernelView, ForkLeavesWhatHasNoAnonymousPage) {
  KernelView parent;
  parent.map(file(0, 2));
  parent.map(file(2, 4, kRw));
  parent.touched(at(0), false, true, kNow);
  parent.touched(at(2), false, true, kNow);
  parent.touched(at(3), true, true, kNow);
  const KernelView child = parent.forked();
  EXPECT_TRUE(child.page(at(0))->left_by_fork);
  EXPECT_FALSE(child.mapped_ahead(at(1)));
  EXPECT_FALSE(child.page(at(2))->left_by_fork);
  EXPECT_TRUE(child.mapped_ahead(at(2)));
  EXPECT_FALSE(parent.page(at(0))->left_by_fork);
}

TEST(KernelView, ExecsPagesAreAboveTheFirstFaultOfTheStack) {
  KernelView view;
  view.map_stack(anon(0, 8));
  EXPECT_FALSE(view.put_there_by_exec(at(7)));
  view.touched(at(5), true, true, kNow);
  EXPECT_TRUE(view.put_there_by_exec(at(7)));
  EXPECT_FALSE(view.put_there_by_exec(at(4)));
}

}  // namespace
}  // namespace racier::repro
