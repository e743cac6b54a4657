// core/mm/vma_merge.h - makes one vma of neighbours that are alike.  For mm/ only.
#pragma once
#include "core/mm/vma_link.h"
#include "core/objects/machine.h"

namespace racier {

// Lets a vma next to `what` take it over, and with it the vma behind that, if all of
// them are alike and continue each other.  `what` is a range that is free, or is a part
// of one vma, or all of it, that becomes like its neighbours.  `source` is
// the vma whose anonymous pages the range has, or is about to get; nullptr: none.
// Returns the vma that has the range now, or nullptr if nothing has changed: there is
// none, or no memory.  References to the file of `what` stay with the caller.
// Context: may sleep.  `source` may be freed.  Kernel: vma_merge(), vma_adjust().
Vma* vma_merge(Machine& m, Mm& mm, const NewVma& what, Vma* source)
    REQUIRES(mm.mmap_sem);

// Gives `range` of `vma` those flags: makes it part of a neighbour that has them
// already, or a vma of its own; returns that vma.  `vma` may be freed.
// Context: may sleep.  Errors: as split_vma(); nothing has changed but for a split.
// Kernel: vma_modify_flags(), v6.8, for what mprotect, mlock and madvise did each.
Result<Vma*> vma_modify_flags(Machine& m, Vma& vma, VirtRange range,
                              std::uint32_t vm_flags) REQUIRES(vma.vm_mm->mmap_sem);

}  // namespace racier
