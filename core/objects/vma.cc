// core/objects/vma.cc - the two trees that vmas are on.
// Tested by vma_test.cc.
#include "core/objects/vma.h"

#include <algorithm>
#include <cstddef>

namespace racier {
namespace {

std::uint64_t last_index(const Vma& vma) { return vma.vm_pgoff + vma.pages() - 1; }

// Vma has members that are not standard layout to the letter of the standard; every
// compiler that builds the kernel, and so us, lays them out as written.
#pragma clang diagnostic ignored "-Winvalid-offsetof"
template <typename Member>
Vma& from(Member& member, std::size_t offset) {
  return *reinterpret_cast<Vma*>(reinterpret_cast<char*>(&member) - offset);
}

}  // namespace

Vma& Vma::of(RcuHead& head) { return from(head, offsetof(Vma, rcu)); }

void Vma::renew() {
  vm_mm = nullptr;
  vm_start = vm_end = 0;
  vm_flags = 0;
  vm_pgoff = 0;
  vm_file = nullptr;
  vm_rb = shared = {};
  shared_last = 0;
  rmap.anchor.poke(0);
  detached_next = nullptr;
  vm_lock_seq.poke(kNeverLocked);
}

Vma& VmaTree::Traits::entry(TreeNode& node) { return from(node, offsetof(Vma, vm_rb)); }

Vma* VmaTree::find(VirtAddr addr) const {
  Vma* found = nullptr;
  for (Vma* vma = tree_.root(); vma != nullptr;) {
    if (vma->vm_end > addr) {
      found = vma;
      vma = Tree<Traits>::left(*vma);
    } else {
      vma = Tree<Traits>::right(*vma);
    }
  }
  return found;
}

Vma* VmaTree::find_intersection(VirtRange range) const {
  Vma* const vma = find(range.start);
  return vma != nullptr && vma->vm_start < range.end ? vma : nullptr;
}

void VmaTree::insert(Vma& vma) {
  require(find_intersection(vma.range()) == nullptr, "vmas do not overlap");
  tree_.insert(vma);
}

Vma& IMmapTree::Traits::entry(TreeNode& node) {
  return from(node, offsetof(Vma, shared));
}

void IMmapTree::Traits::update(Vma& vma, const Vma* left, const Vma* right) {
  vma.shared_last = last_index(vma);
  if (left != nullptr) vma.shared_last = std::max(vma.shared_last, left->shared_last);
  if (right != nullptr) vma.shared_last = std::max(vma.shared_last, right->shared_last);
}

void IMmapTree::insert(Vma& vma) { tree_.insert(vma); }

Vma* IMmapTree::first(std::uint64_t first, std::uint64_t last) const {
  Vma* vma = tree_.root();
  if (vma == nullptr || vma->shared_last < first) return nullptr;
  for (;;) {
    Vma* const left = Tree<Traits>::left(*vma);
    if (left != nullptr && left->shared_last >= first) {
      vma = left;
      continue;
    }
    if (vma->vm_pgoff > last) return nullptr;
    if (last_index(*vma) >= first) return vma;
    Vma* const right = Tree<Traits>::right(*vma);
    if (right == nullptr || right->shared_last < first) return nullptr;
    vma = right;
  }
}

Vma* IMmapTree::next(Vma& vma, std::uint64_t first, std::uint64_t last) {
  for (Vma* at = Tree<Traits>::next(vma); at != nullptr; at = Tree<Traits>::next(*at)) {
    if (at->vm_pgoff > last) return nullptr;
    if (last_index(*at) >= first) return at;
  }
  return nullptr;
}

}  // namespace racier
