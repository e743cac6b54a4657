// core/mm/zap.h - takes the ptes of a vma away.  For mm/ only.
#pragma once
#include "core/mm/gather.h"
#include "core/objects/machine.h"

namespace racier {

// Empties the ptes of `range` in `vma`; what they held goes to `tlb`, or back to swap.
// With `only` it leaves alone what is not of that file: copies of its pages, and swap.
// Kernel: unmap_page_range(), mm/memory.c, v2.6.9; zap_details.
void unmap_page_range(Machine& m, MmuGather& tlb, Vma& vma, VirtRange range,
                      const AddressSpace* only = nullptr)
    REQUIRES(vma.vm_mm->page_table_lock);

}  // namespace racier
