// core/base/tree_test.cc - trees, against a sorted vector.
#include "core/base/tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "core/base/random.h"

namespace racier {
namespace {

// An entry whose summary is the sum of the weights in its subtree.
struct Fruit {
  TreeNode node;
  int key = 0;
  int weight = 1;
  int sum = 0;
};

struct FruitTraits {
  using Entry = Fruit;
  static TreeNode& node(Fruit& fruit) { return fruit.node; }
  static Fruit& entry(TreeNode& node) { return reinterpret_cast<Fruit&>(node); }
  static bool less(const Fruit& a, const Fruit& b) { return a.key < b.key; }
  static void update(Fruit& fruit, const Fruit* left, const Fruit* right) {
    fruit.sum = fruit.weight + (left != nullptr ? left->sum : 0) +
                (right != nullptr ? right->sum : 0);
  }
};
static_assert(offsetof(Fruit, node) == 0);
using FruitTree = Tree<FruitTraits>;

std::vector<Fruit*> in_order(const FruitTree& tree) {
  std::vector<Fruit*> entries;
  for (Fruit* at = tree.first(); at != nullptr; at = FruitTree::next(*at)) {
    entries.push_back(at);
  }
  return entries;
}

// Returns the height below `fruit`, and checks each summary on the way.
int checked_height(Fruit* fruit) {
  if (fruit == nullptr) return 0;
  Fruit* const left = FruitTree::left(*fruit);
  Fruit* const right = FruitTree::right(*fruit);
  const int height = 1 + std::max(checked_height(left), checked_height(right));
  const int below =
      (left != nullptr ? left->sum : 0) + (right != nullptr ? right->sum : 0);
  EXPECT_EQ(fruit->sum, fruit->weight + below);
  return height;
}

TEST(Tree, IsEmptyAtFirst) {
  FruitTree tree;
  EXPECT_TRUE(tree.empty());
  EXPECT_EQ(tree.first(), nullptr);
  EXPECT_EQ(tree.last(), nullptr);
  EXPECT_EQ(tree.root(), nullptr);
}

TEST(Tree, KeepsAnyHistoryInOrder) {
  std::array<Fruit, 200> fruits;
  Random random(1);
  FruitTree tree;
  std::vector<Fruit*> model;
  for (int round = 0; round < 4000; ++round) {
    Fruit& fruit = fruits[random.below(fruits.size())];
    if (fruit.node.linked()) {
      tree.erase(fruit);
      std::erase(model, &fruit);
    } else {
      fruit.key = static_cast<int>(random.below(40));  // many are equal
      fruit.weight = static_cast<int>(random.below(9));
      const auto behind = std::upper_bound(
          model.begin(), model.end(), &fruit,
          [](const Fruit* a, const Fruit* b) { return a->key < b->key; });
      model.insert(behind, &fruit);
      tree.insert(fruit);
    }
    ASSERT_EQ(in_order(tree), model);
    checked_height(tree.root());
  }
}

TEST(Tree, WalksBothWays) {
  std::array<Fruit, 20> fruits;
  FruitTree tree;
  for (int i = 0; i < 20; ++i) {
    fruits[i].key = i * 7 % 20;
    tree.insert(fruits[i]);
  }
  std::vector<int> keys;
  for (Fruit* at = tree.last(); at != nullptr; at = FruitTree::prev(*at)) {
    keys.push_back(at->key);
  }
  EXPECT_EQ(keys.size(), 20u);
  EXPECT_TRUE(std::is_sorted(keys.rbegin(), keys.rend()));
}

TEST(Tree, StaysShallowWhenFilledInOrder) {
  std::vector<Fruit> fruits(4096);
  FruitTree tree;
  for (int i = 0; i < 4096; ++i) {
    fruits[i].key = i;
    tree.insert(fruits[i]);
  }
  EXPECT_LT(checked_height(tree.root()), 48);
}

TEST(Tree, RefreshRenewsTheSummariesAbove) {
  std::array<Fruit, 30> fruits;
  FruitTree tree;
  for (int i = 0; i < 30; ++i) {
    fruits[i].key = i;
    tree.insert(fruits[i]);
  }
  fruits[17].weight = 100;
  tree.refresh(fruits[17]);
  EXPECT_EQ(tree.root()->sum, 129);
}

TEST(Tree, HasTheSameShapeForTheSameHistory) {
  std::array<Fruit, 50> one;
  std::array<Fruit, 50> two;
  FruitTree first;
  FruitTree second;
  for (int i = 0; i < 50; ++i) {
    one[i].key = two[i].key = i * 13 % 50;
    first.insert(one[i]);
    second.insert(two[i]);
  }
  EXPECT_EQ(first.root() - one.data(), second.root() - two.data());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(one[i].node.priority, two[i].node.priority);
}

TEST(Tree, AResetTreeStartsAnew) {
  Fruit fruit;
  FruitTree tree;
  tree.insert(fruit);
  const std::uint64_t priority = fruit.node.priority;
  tree.reset();
  EXPECT_TRUE(tree.empty());
  Fruit other;
  tree.insert(other);
  EXPECT_EQ(other.node.priority, priority);
}

TEST(Tree, AnEntryIsInsertedOnce) {
  Fruit fruit;
  FruitTree tree;
  tree.insert(fruit);
  EXPECT_DEATH(tree.insert(fruit), "one tree of a kind");
  tree.erase(fruit);
  EXPECT_DEATH(tree.erase(fruit), "is on the tree");
}

}  // namespace
}  // namespace racier
