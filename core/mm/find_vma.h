// core/mm/find_vma.h - which vma an address is in, for who holds mmap_sem.
#pragma once
#include <source_location>

#include "core/objects/machine.h"

namespace racier {

// Returns the first vma of `mm` that ends behind `addr`, which may start behind it,
// too; nullptr if there is none.  With lookup=mmap_cache the vma that was found last is
// looked at first, and the one that is found is kept; with lookup=vmacache the four
// that the task has found.  With lookup=per_vma it is found in the tree that others
// walk under RCU. Context: mmap_sem held.  Kernel: find_vma(), mm/mmap.c, v2.6.9.
Vma* find_vma(Machine& m, Mm& mm, VirtAddr addr) REQUIRES_SHARED(mm.mmap_sem);

// Forgets the vma that was found last, if it is `vma`, which is about to be freed; with
// lookup=vmacache all that were found.
// Context: mmap_sem held (write), or the mm has no user.  Kernel: "Kill the cache."
void forget_found_vma(Machine& m, Mm& mm, const Vma& vma,
                      std::source_location where = std::source_location::current());

}  // namespace racier
