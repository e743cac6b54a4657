// core/objects/page_table_test.cc - tables that come and go.
#include "core/objects/page_table.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/memory/region.h"

namespace racier {
namespace {

constexpr VirtAddr kFar = 0x7f00'0000'0000;

// One address space's tables in an arena of their own.
struct Tables : testing::Test {
  Region region{32, 1};
  FrameArena arena{region};
  MmuContext context{1, new_table()};

  Pfn new_table() {
    const Pfn table = arena.alloc();
    clear_user_frame(arena.data(table));
    return table;
  }
  // Makes every table on the way to `addr`.
  PteSlot reach(VirtAddr addr) {
    for (int level; (level = missing_table(arena, context, addr)) >= 0;) {
      EXPECT_TRUE(install_table(arena, context, addr, level, new_table()));
    }
    return find_pte(arena, context, addr);
  }
  // Returns how many tables of each level there are, the root first: "1 1 1 2".
  std::string shape() {
    int counts[kTableLevels] = {};
    for_each_table(arena, context, [&](Pfn, int level) { ++counts[level]; });
    std::string text;
    for (int level = kTableLevels - 1; level >= 0; --level) {
      text += (text.empty() ? "" : " ") + std::to_string(counts[level]);
    }
    return text;
  }
  void detach(VirtRange range, VirtRange limits) {
    detach_tables(arena, context, range, limits, [&](Pfn table) { arena.free(table); });
  }
};
using PageTableTest = Tables;

TEST_F(PageTableTest, HasOnlyARootAtFirst) {
  EXPECT_EQ(shape(), "1 0 0 0");
  EXPECT_FALSE(find_pte(arena, context, 0));
  EXPECT_EQ(missing_table(arena, context, 0), 2);
}

TEST_F(PageTableTest, GrowsFromTheTop) {
  EXPECT_EQ(missing_table(arena, context, kFar), 2);
  install_table(arena, context, kFar, 2, new_table());
  EXPECT_EQ(missing_table(arena, context, kFar), 1);
  install_table(arena, context, kFar, 1, new_table());
  EXPECT_EQ(missing_table(arena, context, kFar), 0);
  install_table(arena, context, kFar, 0, new_table());
  EXPECT_EQ(missing_table(arena, context, kFar), -1);
  EXPECT_TRUE(find_pte(arena, context, kFar));
  EXPECT_EQ(shape(), "1 1 1 1");
}

TEST_F(PageTableTest, DoesNotReplaceATable) {
  reach(kFar);
  EXPECT_FALSE(install_table(arena, context, kFar, 0, new_table()));
  EXPECT_FALSE(install_table(arena, context, kFar, 2, new_table()));
}

TEST_F(PageTableTest, ATableNeedsAParent) {
  EXPECT_DEATH(install_table(arena, context, kFar, 0, 1), "parent");
}

TEST_F(PageTableTest, SharesTablesBetweenNeighbours) {
  struct Row {
    VirtAddr other;
    const char* shape;
  };
  for (const Row& row : {
           Row{kPageSize, "1 1 1 1"},
           Row{table_span(1) - kPageSize, "1 1 1 1"},
           Row{table_span(1), "1 1 1 2"},
           Row{table_span(2), "1 1 2 2"},
           Row{table_span(3), "1 2 2 2"},
           Row{kUserEnd - kPageSize, "1 2 2 2"},
       }) {
    reach(0);
    reach(row.other);
    EXPECT_EQ(shape(), row.shape) << std::hex << row.other;
    detach({0, kUserEnd}, {0, kUserEnd});
    EXPECT_EQ(shape(), "1 0 0 0");
  }
}

TEST_F(PageTableTest, ASlotIsAWordThatKeepsItsMarks) {
  const PteSlot slot = reach(kFar);
  EXPECT_TRUE(slot.peek().none());
  slot.set(Pte::page(7, Pte::kPresent | Pte::kWrite | Pte::kDirty));
  EXPECT_TRUE(slot.get().maps(7));
  EXPECT_TRUE(slot.clear_flags(Pte::kWrite).writable());
  EXPECT_FALSE(slot.get().writable());
  EXPECT_TRUE(slot.get().dirty());
  EXPECT_TRUE(slot.get_and_clear().dirty());
  EXPECT_TRUE(find_pte(arena, context, kFar).get().none());
}

TEST_F(PageTableTest, ShowsThePtesOfARangeInOrder) {
  const VirtAddr edge = table_span(1);
  reach(edge - kPageSize);
  reach(edge);
  reach(kFar);
  std::vector<VirtAddr> shown;
  for_each_pte(arena, context, {edge - 2 * kPageSize, edge + 2 * kPageSize},
               [&](VirtAddr addr, PteSlot slot) {
                 shown.push_back(addr);
                 slot.set(Pte::swap({static_cast<std::uint32_t>(addr >> kPageShift)}));
               });
  const std::vector<VirtAddr> expected{edge - 2 * kPageSize, edge - kPageSize, edge,
                                       edge + kPageSize};
  EXPECT_EQ(shown, expected);
  EXPECT_EQ(find_pte(arena, context, edge).peek().swap_entry().val,
            edge >> kPageShift);
}

TEST_F(PageTableTest, SkipsTablesThatAreMissing) {
  reach(0);
  reach(kFar);
  std::uint64_t shown = 0;
  for_each_pte(arena, context, {0, kUserEnd}, [&](VirtAddr, PteSlot) { ++shown; });
  EXPECT_EQ(shown, 2u * kTableEntries);
}

TEST_F(PageTableTest, ASpaceWithoutRootHasNothing) {
  const MmuContext none{1, kNoPfn};
  EXPECT_FALSE(find_pte(arena, none, 0));
  for_each_pte(arena, none, {0, kUserEnd}, [](VirtAddr, PteSlot) { FAIL(); });
  for_each_table(arena, none, [](Pfn, int) { FAIL(); });
}

// Tables go when nothing in their reach is left, and not before.
TEST_F(PageTableTest, DetachesWhatLiesWithinTheLimits) {
  struct Row {
    const char* what;
    VirtRange range, limits;
    const char* shape;
  };
  const VirtAddr low = kFar;  // two tables of ptes under one of level 1,
  const VirtAddr high = kFar + table_span(1);  // which nobody else is under
  for (const Row& row : {
           Row{"one page, a neighbour in its table",
               {low, low + kPageSize},
               {0, low + 2 * kPageSize},
               "1 1 1 2"},
           Row{"one page, a neighbour in the next table",
               {low, low + kPageSize},
               {0, high},
               "1 1 1 1"},
           Row{"the upper one", {high, high + kPageSize}, {high, kUserEnd}, "1 1 1 1"},
           Row{"both", {low, high + kPageSize}, {0, kUserEnd}, "1 0 0 0"},
           Row{"both, a neighbour far away",
               {low, high + kPageSize},
               {0, low + table_span(2)},
               "1 1 0 0"},
       }) {
    reach(low);
    reach(high);
    ASSERT_EQ(shape(), "1 1 1 2");
    detach(row.range, row.limits);
    EXPECT_EQ(shape(), row.shape) << row.what;
    detach({0, kUserEnd}, {0, kUserEnd});
  }
}

TEST_F(PageTableTest, DetachesLowerTablesFirst) {
  reach(kFar);
  std::map<Pfn, int> levels;
  for_each_table(arena, context, [&](Pfn table, int level) { levels[table] = level; });
  std::vector<int> order;
  detach_tables(arena, context, {kFar, kFar + kPageSize}, {0, kUserEnd},
                [&](Pfn table) { order.push_back(levels.at(table)); });
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

}  // namespace
}  // namespace racier
