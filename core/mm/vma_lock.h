// core/mm/vma_lock.h - a lock of each vma, for faults that do without mmap_sem.
//
// With lookup=per_vma.  Vmas are type-stable: who has found one under RCU may count
// himself in it, whatever has become of it, and then looks what it is.  vm_refcnt is 0
// while a vma is in no tree (detached), 1 when it is in one and nobody uses it, and one
// more for each reader; who waits for them to go adds kVmaLockOffset, which keeps more
// from coming.  vm_lock_seq says when it was locked for writing last: it is, as long as
// that is the mm's number (Mm::vma_version), which mmap_sem raises when it is taken for
// writing and when it is not held so any more; so all vmas are unlocked at once.
//
// core/mm/vma_cache.h is the face that faults and mm/ use.
//
// Kernel: mm/mmap_lock.c and include/linux/mmap_lock.h, v6.16; without the reference
// count, and with a flag for detached vmas, in v6.4.
#pragma once
#include "core/objects/machine.h"

namespace racier {

// Returns the vma that `addr` is in, locked for reading, if it may have anonymous pages
// and nobody has it locked for writing; else nullptr.
// Context: a user reference of `mm` is held; not in an RCU read section.
Vma* lock_vma_under_rcu(Machine& m, Mm& mm, VirtAddr addr);
// Lets go of it.
void vma_end_read(Vma& vma);

// Locks `vma` for writing, until mmap_sem is not held for writing any more; waits for
// its readers.  Nothing happens if mmap_sem is not held for writing: a stack may grow
// so (B68, B69).  Context: may sleep; mmap_sem held (write), or `vma` is detached.
void vma_lock_write(Vma& vma);
// Lets `vma`, new and locked for writing, be locked by who finds it.
void vma_mark_attached(Vma& vma);
// Keeps it from everybody, and waits for who has counted himself in it.
// Context: may sleep; locked for writing, or the mm has no user.
void vma_mark_detached(Vma& vma);

// Returns whether anybody has it locked for reading, or is about to find out that he
// must not; no step.
bool vma_has_readers(const Vma& vma);
// Returns whether it is in no tree; no step.
bool vma_is_detached(const Vma& vma);

}  // namespace racier
