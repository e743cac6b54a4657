// core/rmap/anon_vma_tree.h - what links a vma and an anon_vma, and the tree of these.
//
// For anon_vma_chain only.
#pragma once
#include "core/base/list.h"
#include "core/base/tree.h"
#include "core/objects/vma.h"

namespace racier::rmap {

struct ChainedAnonVma;

// Kernel: struct anon_vma_chain.
struct AnonVmaChain {
  Vma* vma = nullptr;
  ChainedAnonVma* anon_vma = nullptr;
  // In the chain of `vma`; guarded by mmap_sem (write), or mmap_sem and
  // page_table_lock.
  ListNode same_vma;
  // In the tree of `anon_vma`, and the greatest last index there below it; guarded by
  // the root's lock.
  TreeNode rb;
  std::uint64_t rb_subtree_last = 0;
};

// The avcs of an anon_vma, by the pages that their vmas have room for.  What these are
// may change only while the vma's avcs are on no tree.  Kernel: anon_vma->rb_root.
class AnonVmaTree {
 public:
  void insert(AnonVmaChain& avc) { tree_.insert(avc); }
  void erase(AnonVmaChain& avc) { tree_.erase(avc); }
  bool empty() const { return tree_.empty(); }
  AnonVmaChain* first() const { return tree_.first(); }
  static AnonVmaChain* next(AnonVmaChain& avc) { return Tree<Traits>::next(avc); }
  // Returns the first avc whose vma has room for page `index`, or nullptr; and the one
  // after `avc` that has.
  AnonVmaChain* first(std::uint64_t index) const;
  static AnonVmaChain* next(AnonVmaChain& avc, std::uint64_t index);

 private:
  struct Traits {
    using Entry = AnonVmaChain;
    static TreeNode& node(AnonVmaChain& avc) { return avc.rb; }
    static AnonVmaChain& entry(TreeNode& node);
    static bool less(const AnonVmaChain& a, const AnonVmaChain& b);
    static void update(AnonVmaChain& avc, const AnonVmaChain* left,
                       const AnonVmaChain* right);
  };
  Tree<Traits> tree_;
};

}  // namespace racier::rmap
