// core/rmap/anon_vma_tree.cc - the tree of those who may have a page from an anon_vma.
// Tested by contract_test.cc and anon_vma_chain_test.cc.
#include "core/rmap/anon_vma_tree.h"

#include <algorithm>
#include <cstddef>

namespace racier::rmap {
namespace {

std::uint64_t last_index(const AnonVmaChain& avc) {
  return avc.vma->vm_pgoff + avc.vma->pages() - 1;
}

}  // namespace

AnonVmaChain& AnonVmaTree::Traits::entry(TreeNode& node) {
  return *reinterpret_cast<AnonVmaChain*>(reinterpret_cast<char*>(&node) -
                                          offsetof(AnonVmaChain, rb));
}

bool AnonVmaTree::Traits::less(const AnonVmaChain& a, const AnonVmaChain& b) {
  return a.vma->vm_pgoff < b.vma->vm_pgoff;
}

void AnonVmaTree::Traits::update(AnonVmaChain& avc, const AnonVmaChain* left,
                                 const AnonVmaChain* right) {
  std::uint64_t& last = avc.rb_subtree_last;
  last = last_index(avc);
  if (left != nullptr) last = std::max(last, left->rb_subtree_last);
  if (right != nullptr) last = std::max(last, right->rb_subtree_last);
}

AnonVmaChain* AnonVmaTree::first(std::uint64_t index) const {
  AnonVmaChain* avc = tree_.root();
  while (avc != nullptr && avc->rb_subtree_last >= index) {
    AnonVmaChain* const left = Tree<Traits>::left(*avc);
    if (left != nullptr && left->rb_subtree_last >= index) {
      avc = left;
      continue;
    }
    if (avc->vma->vm_pgoff > index) return nullptr;
    if (last_index(*avc) >= index) return avc;
    avc = Tree<Traits>::right(*avc);
  }
  return nullptr;
}

AnonVmaChain* AnonVmaTree::next(AnonVmaChain& avc, std::uint64_t index) {
  for (AnonVmaChain* at = next(avc); at != nullptr; at = next(*at)) {
    if (at->vma->vm_pgoff > index) return nullptr;
    if (last_index(*at) >= index) return at;
  }
  return nullptr;
}

}  // namespace racier::rmap
