// core/objects/maple_tree_test.cc - the tree of the vmas, against a plain list of them.
#include "core/objects/maple_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "core/base/random.h"
#include "core/objects/vma.h"

namespace racier {
namespace {

VirtAddr page_no(std::uint64_t number) { return number << kPageShift; }

// A tree whose nodes are counted, and a map of what has to be in it.
struct Maple : testing::Test {
  MapleNode* alloc() {
    if (static_cast<int>(nodes.size()) >= nodes_max) return nullptr;
    auto node = std::make_unique<MapleNode>();
    MapleNode* const at = node.get();
    nodes.emplace(at, std::move(node));
    return at;
  }
  void free_all(MapleNode* list) {
    while (list != nullptr) {
      MapleNode* const node = std::exchange(list, list->list);
      EXPECT_EQ(nodes.erase(node), 1u) << "a node is freed once";
    }
  }
  bool put(VirtRange range, std::vector<MapleEntry> entries) {
    MapleUpdate update;
    const bool built = update.build(tree, range, entries, [&] { return alloc(); });
    if (built) update.publish(tree);
    free_all(update.take_made());
    free_all(update.take_replaced());
    if (!built) return false;
    std::erase_if(model, [&](const auto& at) {
      return at.second.start < range.end && range.start < at.second.end;
    });
    for (const MapleEntry& entry : entries) model[entry.start] = entry;
    return true;
  }
  bool map(std::uint64_t first, std::uint64_t last) {
    vmas.push_back(std::make_unique<Vma>());
    const VirtRange range{page_no(first), page_no(last)};
    return put(range, {{range.start, range.end, vmas.back().get()}});
  }
  bool unmap(std::uint64_t first, std::uint64_t last) {
    return put({page_no(first), page_no(last)}, {});
  }
  void expect_same() {
    std::vector<VirtAddr> starts;
    auto next = model.begin();
    tree.for_each([&](const MapleEntry& entry) {
      ASSERT_NE(next, model.end());
      EXPECT_EQ(entry.start, next->second.start);
      EXPECT_EQ(entry.end, next->second.end);
      EXPECT_EQ(entry.vma(), next->second.vma());
      ++next;
    });
    EXPECT_EQ(next, model.end());
  }
  Vma* model_find(VirtAddr addr) {
    for (const auto& [start, entry] : model) {
      if (entry.end > addr) return entry.vma();
    }
    return nullptr;
  }
  void end() {
    tree.clear([&](MapleNode& node) { EXPECT_EQ(nodes.erase(&node), 1u); });
    EXPECT_TRUE(nodes.empty());
    EXPECT_EQ(tree.find(0), nullptr);
  }

  MapleTree tree;
  int nodes_max = 1 << 20;
  std::map<MapleNode*, std::unique_ptr<MapleNode>> nodes;
  std::vector<std::unique_ptr<Vma>> vmas;
  std::map<VirtAddr, MapleEntry> model;
};

TEST_F(Maple, AnEmptyOneHasNothing) {
  EXPECT_EQ(tree.find(0), nullptr);
  EXPECT_EQ(tree.walk(0), nullptr);
  EXPECT_TRUE(unmap(0, 4));
  end();
}

TEST_F(Maple, FindsWhatEndsBehindAndWalksToWhatIsThere) {
  EXPECT_TRUE(map(4, 6));
  EXPECT_TRUE(map(8, 9));
  EXPECT_EQ(tree.find(page_no(0)), vmas[0].get());
  EXPECT_EQ(tree.walk(page_no(0)), nullptr);
  EXPECT_EQ(tree.walk(page_no(5)), vmas[0].get());
  EXPECT_EQ(tree.find(page_no(6)), vmas[1].get());
  EXPECT_EQ(tree.walk(page_no(6)), nullptr);
  EXPECT_EQ(tree.find(page_no(9)), nullptr);
  end();
}

TEST_F(Maple, OneVmaMoreThanANodeHasRoomForMakesItDeeper) {
  for (std::uint64_t i = 0; i < MapleNode::kSlots; ++i)
    EXPECT_TRUE(map(2 * i, 2 * i + 1));
  EXPECT_EQ(nodes.size(), 1u);
  EXPECT_TRUE(map(100, 101));
  EXPECT_EQ(nodes.size(), 3u);
  expect_same();
  EXPECT_TRUE(unmap(0, 200));
  EXPECT_TRUE(nodes.empty());
  end();
}

// Whoever walks an old node finds what was there: no node changes.
TEST_F(Maple, WhoHasFoundANodeSeesItAsItWas) {
  EXPECT_TRUE(map(4, 6));
  ASSERT_EQ(nodes.size(), 1u);
  const MapleNode& before = *nodes.begin()->first;
  const MapleEntry entry = before.slots[0];
  MapleUpdate update;
  const MapleEntry grown{page_no(2), page_no(6), vmas[0].get()};
  EXPECT_TRUE(update.build(tree, {page_no(2), page_no(6)}, std::span(&grown, 1),
                           [&] { return alloc(); }));
  EXPECT_EQ(tree.walk(page_no(2)), nullptr) << "not before it is published";
  update.publish(tree);
  EXPECT_EQ(tree.walk(page_no(2)), vmas[0].get());
  EXPECT_EQ(before.slots[0].start, entry.start);
  EXPECT_EQ(update.take_made(), nullptr);
  free_all(update.take_replaced());
  EXPECT_EQ(nodes.size(), 1u);
  end();
}

TEST_F(Maple, WithoutMemoryNothingChanges) {
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(map(2 * i, 2 * i + 1));
  const std::size_t before = nodes.size();
  for (int more = 0;; ++more) {
    nodes_max = static_cast<int>(before) + more;
    if (map(7, 8)) break;
    expect_same();
    EXPECT_EQ(nodes.size(), before);
    ASSERT_LT(more, 8);
  }
  expect_same();
  end();
}

TEST_F(Maple, IsWhatAListOfVmasIs) {
  Random random(7);
  std::size_t nodes_most = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::uint64_t first = random.below(120);
    const std::uint64_t last = first + 1 + random.below(random.below(40) == 0 ? 60 : 3);
    switch (random.below(3)) {
      case 0:
        ASSERT_TRUE(unmap(first, last));
        break;
      case 1:
        ASSERT_TRUE(unmap(first, last) && map(first, last));
        break;
      default: {  // two in the place of what is there
        vmas.push_back(std::make_unique<Vma>());
        vmas.push_back(std::make_unique<Vma>());
        const VirtAddr middle = page_no(first) + kPageSize / 2;
        ASSERT_TRUE(put({page_no(first), page_no(last)},
                        {{page_no(first), middle, vmas.end()[-1].get()},
                         {middle, page_no(last), vmas.end()[-2].get()}}));
      }
    }
    expect_same();
    nodes_most = std::max(nodes_most, nodes.size());
    for (std::uint64_t i = 0; i < 130; i += 3) {
      ASSERT_EQ(tree.find(page_no(i)), model_find(page_no(i))) << "round " << round;
    }
  }
  EXPECT_GT(nodes_most, 10u) << "more than two levels";
  end();
}

}  // namespace
}  // namespace racier
