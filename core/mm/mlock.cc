// core/mm/mlock.cc - keeps pages in memory.
//
// A locked vma's pages are not counted: reclaim finds out at the pte that it must not
// take it, and gives the page up for now.
//
// Tested by mlock_test.cc and corpus/programs/mlock*.racier.
#include <algorithm>

#include "core/mm/fault.h"
#include "core/mm/find_vma.h"
#include "core/mm/madvise.h"
#include "core/mm/vma_cache.h"
#include "core/mm/vma_merge.h"
#include "core/objects/ptl.h"

namespace racier {
namespace {

bool is_present(Machine& m, Vma& vma, VirtAddr addr) {
  const PtlGuard guard(m, *vma.vm_mm, addr);
  return guard.slot() && guard.slot().get().present();
}

// Returns whether all pages of `range` were brought in: as by a write, where the copy
// or the zeroes that it would need are private.  Kernel: make_pages_present().
bool make_pages_present(Machine& m, Vma& vma, VirtRange range)
    REQUIRES(vma.vm_mm->mmap_sem) {
  if ((vma.vm_flags & kVmAccess) == 0) return false;
  const bool write = vma.is(kVmWrite) && !vma.is(kVmShared);
  for (VirtAddr addr = range.start; addr < range.end; addr += kPageSize) {
    while (!is_present(m, vma, addr)) {
      const FaultResult result = handle_mm_fault(m, vma, addr, write);
      if (result == FaultResult::kOom || result == FaultResult::kSigbus) return false;
    }
  }
  return true;
}

// Kernel: mlock_fixup().
Status mlock_fixup(Machine& m, Vma& vma, VirtRange part, std::uint32_t locked)
    REQUIRES(vma.vm_mm->mmap_sem) {
  const std::uint32_t vm_flags = (vma.vm_flags & ~kVmLocked) | locked;
  const Result<Vma*> changed = vma_modify_flags(m, vma, part, vm_flags);
  if (!changed) return changed.status();
  Vma& now = **changed;
  now.vm_mm->mmap_sem.assert_held();
  const bool done = locked == 0 || make_pages_present(m, now, part);
  return done ? Status::kOk : Status::kNoMemory;
}

Status change_locked(Machine& m, Mm& mm, VirtRange range, std::uint32_t locked) {
  const bool aligned = range.start % kPageSize == 0 && range.end % kPageSize == 0;
  if (!aligned || range.start >= range.end) return Status::kInvalid;
  const MmapWriteGuard guard(m, mm);
  for (VirtAddr done = range.start; done < range.end;) {
    Vma* const vma = find_vma(m, mm, done);
    if (vma == nullptr || vma->vm_start > done) return Status::kNoMemory;
    const VirtRange part{done, std::min(range.end, vma->vm_end)};
    vma->vm_mm->mmap_sem.assert_held();
    const Status status = mlock_fixup(m, *vma, part, locked);
    if (status != Status::kOk) return status;
    done = part.end;
  }
  return Status::kOk;
}

}  // namespace

Status do_mlock(Machine& m, Mm& mm, VirtRange range) {
  return change_locked(m, mm, range, kVmLocked);
}

Status do_munlock(Machine& m, Mm& mm, VirtRange range) {
  return change_locked(m, mm, range, 0);
}

}  // namespace racier
