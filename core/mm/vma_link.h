// core/mm/vma_link.h - puts vmas where they are looked for, and changes them there.
//
// A vma is found in three places: in the tree of its mm, by faults; among the vmas that
// map its file; and by the reverse map's scheme.  For mm/ only.
//
// Kernel: mm/mmap.c, v2.6.9: vma_link(), split_vma(), vma_adjust(), unmap_vma().
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// What a new vma is to be.
struct NewVma {
  VirtRange range;
  std::uint32_t vm_flags = 0;
  AddressSpace* file = nullptr;  // null: private anonymous memory
  std::uint64_t pgoff = 0;  // of a file; private anonymous memory counts by address
};

// Returns whether `mm` has so many vmas that there is no room for more than `room`.
bool too_many_vmas(const Mm& mm, int room = 0);

// Puts `vma`, new, in the tree of its mm and among the vmas of its file.
// Errors: kNoMemory; nothing has changed then.
Status vma_link(Machine& m, Vma& vma) REQUIRES(vma.vm_mm->mmap_sem);
// Takes a vma without ptes from its file and from the reverse map.
// Context: may sleep; it is in the tree of its mm no more.
void hide_vma(Machine& m, Vma& vma);
// Likewise, and frees it.
void remove_vma(Machine& m, Vma& vma);

// Maps a range that is free, as part of a neighbour if one is alike.  Takes over one
// reference to the file, but if it fails.
// Errors: kNoMemory (no object, or too many vmas); nothing has changed then.
Status map_new_vma(Machine& m, Mm& mm, const NewVma& what) REQUIRES(mm.mmap_sem);

// Makes sure that nobody uses `vma`, which is about to change in place, without
// mmap_sem.  Context: may sleep.
void vma_start_change(Machine& m, Vma& vma) REQUIRES(vma.vm_mm->mmap_sem);

// Likewise, and runs `change`, which may change bounds and flags of `vma`, while nobody
// looks at them: under page_table_lock, and the locks of the reverse map.  Context: may
// sleep.
void change_vma(Machine& m, Vma& vma, FunctionRef<void()> change)
    REQUIRES(vma.vm_mm->mmap_sem);

// Makes two of `vma`, at `addr` inside of it; returns the upper one.
// Errors: kNoMemory (no object, or too many vmas); nothing has changed then.
Result<Vma*> split_vma(Machine& m, Vma& vma, VirtAddr addr)
    REQUIRES(vma.vm_mm->mmap_sem);

// Makes `range` of `vma` one vma with those flags, and splits it off where it is a
// part; returns that vma. Errors: as split_vma(); nothing has changed but for a split.
Result<Vma*> change_vma_flags(Machine& m, Vma& vma, VirtRange range,
                              std::uint32_t vm_flags) REQUIRES(vma.vm_mm->mmap_sem);

}  // namespace racier
