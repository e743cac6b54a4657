// core/mm/copy_page_range.h - copies ptes for fork.  For mm/ only.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Makes `dst`, the child's copy of `src`, which is linked and empty, map what `src`
// maps; what is private may be written by neither from then on.  The caller flushes the
// parent's TLBs.
// Errors: kNoMemory; a part has been copied then.
// Context: may sleep.  Kernel: copy_page_range(), mm/memory.c, v2.6.9.
Status copy_page_range(Machine& m, Vma& dst, Vma& src)
    REQUIRES(src.vm_mm->mmap_sem, dst.vm_mm->mmap_sem);

}  // namespace racier
