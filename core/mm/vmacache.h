// core/mm/vmacache.h - each task keeps the vmas that it has found.
//
// With lookup=vmacache; with any other lookup= nobody calls it.  A task's cache is of
// one mm and of one number of that mm: who takes a vma out of the tree raises the
// number, so that all caches are out of date at once.  The number has few bits; when it
// comes round, all caches of the mm are emptied, or an old one would be taken for a new
// one.
//
// Kernel: mm/vmacache.c, v3.15 to v4.18, with 32 bits; with 64 bits from 4.19 on.
#pragma once
#include <source_location>

#include "core/objects/machine.h"

namespace racier {

// Returns the vma that `addr` is in, if the current task has found it lately; or
// nullptr.  Context: mmap_sem held.
Vma* vmacache_find(Machine& m, const Mm& mm, VirtAddr addr)
    REQUIRES_SHARED(mm.mmap_sem);
// Remembers that the current task has found `vma` for `addr`.  Likewise.
void vmacache_update(Machine& m, const Mm& mm, VirtAddr addr, Vma& vma)
    REQUIRES_SHARED(mm.mmap_sem);
// Makes all forget what they have found: a vma of `mm` is about to be freed.
// Context: any; mmap_sem held (write), or the mm has no user.
void vmacache_invalidate(Machine& m, Mm& mm,
                         std::source_location where = std::source_location::current());

}  // namespace racier
