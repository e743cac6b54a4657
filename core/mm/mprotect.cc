// core/mm/mprotect.cc - changes what accesses are allowed.
//
// A pte never gains the right to write here: the next write faults, and the fault knows
// whether the page must be copied first.
//
// Tested by mprotect_test.cc.
#include <algorithm>

#include "core/base/bug.h"
#include "core/mm/mmap.h"
#include "core/mm/mmu_notifier.h"
#include "core/mm/tlb.h"
#include "core/mm/vma_cache.h"
#include "core/mm/vma_merge.h"
#include "core/objects/ptl.h"

namespace racier {
namespace {

// Returns a pte for the same page, as young and as dirty, with the rights of `vm_flags`
// but to write.  Kernel: pte_modify(), mk_pte().
Pte pte_modify(Pte pte, std::uint32_t vm_flags) {
  const Pte bare =
      pte.without(Pte::kPresent | Pte::kUser | Pte::kWrite | Pte::kProtNone);
  const bool none = (vm_flags & kVmAccess) == 0;
  return bare.with(none ? Pte::kProtNone : Pte::kPresent | Pte::kUser);
}

// Kernel: change_protection().
void change_protection(Machine& m, Vma& vma, VirtRange range) {
  const MmuContext& context = vma.vm_mm->context;
  const NotifiedRange notified(m, *vma.vm_mm, range);
  for_each_locked_table(m, *vma.vm_mm, range, [&](VirtRange part) {
    for_each_pte(m.frames, context, part, [&](VirtAddr, PteSlot slot) {
      const Pte before = slot.peek();
      if (before.is_write_migration()) {
        // Who ends the migration goes by the entry alone.
        if (!bug::armed(Bug::kMprotectLeavesWriteMigration)) {
          slot.set(Pte::migration(before.pfn(), false));
        }
        return;
      }
      if (!before.present()) return;
      // While the pte is empty the hardware cannot mark it, so no mark is lost.
      slot.set(pte_modify(slot.get_and_clear(), vma.vm_flags));
    });
    flush_tlb_range(m, *vma.vm_mm, part);
  });
}

// Kernel: mprotect_fixup().
Status mprotect_fixup(Machine& m, Vma& vma, VirtRange range, std::uint32_t vm_access)
    REQUIRES(vma.vm_mm->mmap_sem) {
  const std::uint32_t vm_flags = (vma.vm_flags & ~kVmAccess) | vm_access;
  if (vm_flags == vma.vm_flags) return Status::kOk;
  const Result<Vma*> changed = vma_modify_flags(m, vma, range, vm_flags);
  if (changed) change_protection(m, **changed, range);
  return changed.status();
}

}  // namespace

Status do_mprotect(Machine& m, Mm& mm, VirtRange range, std::uint32_t vm_access) {
  const bool aligned = range.start % kPageSize == 0 && range.end % kPageSize == 0;
  if (!aligned || range.start >= range.end || (vm_access & ~kVmAccess) != 0) {
    return Status::kInvalid;
  }
  const MmapWriteGuard guard(m, mm);
  for (VirtAddr done = range.start; done < range.end;) {
    Vma* const vma = mm.vmas.find(done);
    if (vma == nullptr || vma->vm_start > done) return Status::kNoMemory;
    const VirtAddr end = std::min(vma->vm_end, range.end);
    vma->vm_mm->mmap_sem.assert_held();
    const Status status = mprotect_fixup(m, *vma, {done, end}, vm_access);
    if (status != Status::kOk) return status;
    done = end;
  }
  return Status::kOk;
}

}  // namespace racier
