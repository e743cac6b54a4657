// core/base/tree.h - an intrusive ordered tree, balanced by chance, with a summary per
// subtree.
//
// A treap: a search tree by key that is also a heap by priority.  Priorities come from
// a counter of the tree's own through a fixed hash, so the shape is the same in every
// run.  Insert, erase and search take expected O(log n); nothing is allocated.
// Links are plain words: whoever uses a tree names the lock that guards it.
//
// Tested by tree_test.cc.
#pragma once
#include <cstdint>

#include "core/base/require.h"

namespace racier {

struct TreeNode {
  TreeNode* parent = nullptr;
  TreeNode* left = nullptr;
  TreeNode* right = nullptr;
  std::uint64_t priority = 0;  // 0: on no tree

  bool linked() const { return priority != 0; }
};

// `Traits` says what the tree is of:
//   using Entry = Vma;
//   static TreeNode& node(Entry&);          the entry's node
//   static Entry& entry(TreeNode&);         and back
//   static bool less(const Entry&, const Entry&);
//   static void update(Entry&, const Entry* left, const Entry* right);
//                                           renews its summary
template <typename Traits>
class Tree {
  using Entry = typename Traits::Entry;

 public:
  bool empty() const { return root_ == nullptr; }

  // Puts `entry` behind those that are not greater.
  void insert(Entry& entry) {
    TreeNode& node = Traits::node(entry);
    require(!node.linked(), "an entry is on one tree of a kind at a time");
    node.left = node.right = node.parent = nullptr;
    node.priority = next_priority();
    TreeNode** link = &root_;
    while (*link != nullptr) {
      node.parent = *link;
      link = Traits::less(entry, of(*link)) ? &(*link)->left : &(*link)->right;
    }
    *link = &node;
    update_upwards(&node);
    while (node.parent != nullptr && node.parent->priority < node.priority) {
      rotate_up(&node);
    }
  }

  void erase(Entry& entry) {
    TreeNode& node = Traits::node(entry);
    require(node.linked(), "an entry that is erased is on the tree");
    while (node.left != nullptr || node.right != nullptr) {
      const bool left =
          node.right == nullptr ||
          (node.left != nullptr && node.left->priority > node.right->priority);
      rotate_up(left ? node.left : node.right);
    }
    TreeNode* const parent = node.parent;
    *link_to(&node) = nullptr;
    node = TreeNode{};
    if (parent != nullptr) update_upwards(parent);
  }

  // To be called when the summary of `entry` alone has changed.
  void refresh(Entry& entry) { update_upwards(&Traits::node(entry)); }

  Entry* root() const { return root_ == nullptr ? nullptr : &of(root_); }
  static Entry* left(Entry& entry) { return maybe(Traits::node(entry).left); }
  static Entry* right(Entry& entry) { return maybe(Traits::node(entry).right); }

  Entry* first() const { return root_ == nullptr ? nullptr : &of(leftmost(root_)); }
  Entry* last() const { return root_ == nullptr ? nullptr : &of(rightmost(root_)); }
  static Entry* next(Entry& entry) {
    TreeNode* node = &Traits::node(entry);
    if (node->right != nullptr) return &of(leftmost(node->right));
    while (node->parent != nullptr && node->parent->right == node) node = node->parent;
    return maybe(node->parent);
  }
  static Entry* prev(Entry& entry) {
    TreeNode* node = &Traits::node(entry);
    if (node->left != nullptr) return &of(rightmost(node->left));
    while (node->parent != nullptr && node->parent->left == node) node = node->parent;
    return maybe(node->parent);
  }

  // Forgets the entries without looking at them: for a region that is being wiped.
  void reset() {
    root_ = nullptr;
    inserted_ = 0;
  }

 private:
  static Entry& of(TreeNode* node) { return Traits::entry(*node); }
  static Entry* maybe(TreeNode* node) { return node == nullptr ? nullptr : &of(node); }
  static TreeNode* leftmost(TreeNode* node) {
    while (node->left != nullptr) node = node->left;
    return node;
  }
  static TreeNode* rightmost(TreeNode* node) {
    while (node->right != nullptr) node = node->right;
    return node;
  }
  TreeNode** link_to(TreeNode* node) {
    TreeNode* const parent = node->parent;
    if (parent == nullptr) return &root_;
    return parent->left == node ? &parent->left : &parent->right;
  }
  static void update(TreeNode* node) {
    Traits::update(of(node), maybe(node->left), maybe(node->right));
  }
  static void update_upwards(TreeNode* node) {
    for (; node != nullptr; node = node->parent) update(node);
  }
  // Lets `node` and its parent change places; the order of entries stays.
  void rotate_up(TreeNode* node) {
    TreeNode* const parent = node->parent;
    *link_to(parent) = node;
    node->parent = parent->parent;
    parent->parent = node;
    TreeNode*& inner = parent->left == node ? node->right : node->left;
    TreeNode*& outer = parent->left == node ? parent->left : parent->right;
    outer = inner;
    if (inner != nullptr) inner->parent = parent;
    inner = parent;
    update(parent);
    update(node);
  }
  // Kernel of splitmix64 over a counter; never 0.
  std::uint64_t next_priority() {
    std::uint64_t bits = ++inserted_ * 0x9e3779b97f4a7c15ull;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ull;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebull;
    return (bits ^ (bits >> 31)) | 1;
  }

  TreeNode* root_ = nullptr;
  std::uint64_t inserted_ = 0;
};

}  // namespace racier
