// core/mm/mmap.h - the map of an address space: mmap, munmap, mprotect, brk.
//
// Kernel: mm/mmap.c, mm/mprotect.c, v2.6.9.  Each verb takes mmap_sem itself.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

struct MmapRequest {
  VirtAddr addr = 0;          // 0: anywhere; else where exactly (MAP_FIXED)
  std::uint64_t pages = 0;
  std::uint32_t vm_flags = 0;  // kVmRead | kVmWrite | kVmExec | kVmShared;
                               // kVmGrowsDown
  AddressSpace* file = nullptr;  // nullptr: anonymous
  std::uint64_t pgoff = 0;       // of a file: the index of the first page
};

// Maps what is asked for and returns where.  With `addr`, whatever was mapped there is
// unmapped first, and stays so if the rest fails.
// Errors: kInvalid (no pages, unaligned, behind the end of user space), kNoMemory (no
// room, map count, no frame).  Context: may sleep.
Result<VirtAddr> do_mmap(Machine& m, Mm& mm, const MmapRequest& request);

// Unmaps `range`, splitting the vmas at its ends.  What is not mapped is no error.
// Errors: kInvalid, kNoMemory (a split needs memory; all stays mapped then).
Status do_munmap(Machine& m, Mm& mm, VirtRange range);

// Changes what accesses the vmas of `range` allow, splitting them at its ends, and
// merging what is alike then.
// Errors: kInvalid; kNoMemory if a part is not mapped (the parts before it are changed)
// or a split needs memory.
Status do_mprotect(Machine& m, Mm& mm, VirtRange range, std::uint32_t vm_access);

// Moves the end of the heap to `brk`, or as far as it can, and returns where it is
// then.
VirtAddr do_brk(Machine& m, Mm& mm, VirtAddr brk);

// Unmaps everything: the last user has gone.  Context: mm_users is 0.
void exit_mmap(Machine& m, Mm& mm);

// Drops the ptes of `range`, freeing their pages; the vma stays.  With `only`, those of
// pages of that file.  Kernel: zap_page_range().
void zap_page_range(Machine& m, Vma& vma, VirtRange range,
                    const AddressSpace* only = nullptr);

// Returns a copy of `vma` without links, or nullptr: no memory.  The copy has its own
// reference to the file.
Vma* copy_vma_struct(Machine& m, const Vma& vma);
// Frees a vma that is linked nowhere, and drops its reference to the file.
void free_vma(Machine& m, Vma& vma);

}  // namespace racier
