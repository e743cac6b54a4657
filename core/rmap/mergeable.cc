// core/rmap/mergeable.cc - two vmas that may become one must have one anchor.
// Tested by the tests of each scheme.
#include "core/rmap/mergeable.h"

#include "core/objects/mm.h"

namespace racier::rmap {
namespace {

// Returns whether `second` could be the continuation of `first`, but for its rights.
bool continues(const Vma& first, const Vma& second) {
  return first.vm_end == second.vm_start && first.vm_file == second.vm_file &&
         ((first.vm_flags ^ second.vm_flags) & ~kVmAccess) == 0 &&
         second.vm_pgoff == first.vm_pgoff + first.pages();
}

}  // namespace

bool find_mergeable(Vma& vma, FunctionRef<bool(Vma&)> suits) {
  vma.vm_mm->mmap_sem.assert_held_shared();
  Vma* const next = VmaTree::next(vma);
  if (next != nullptr && continues(vma, *next) && suits(*next)) return true;
  Vma* const prev = VmaTree::prev(vma);
  return prev != nullptr && continues(*prev, vma) && suits(*prev);
}

}  // namespace racier::rmap
