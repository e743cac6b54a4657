// core/mm/mprotect.cc - changes what accesses are allowed.
//
// A pte never gains the right to write here: the next write faults, and the fault knows
// whether the page must be copied first.
//
// Tested by mprotect_test.cc.
#include "core/base/bug.h"
#include "core/mm/mmap.h"
#include "core/mm/vma_link.h"

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
void change_protection(Machine& m, Vma& vma) {
  const SpinGuard guard(vma.vm_mm->page_table_lock);
  const MmuContext& context = vma.vm_mm->context;
  for_each_pte(m.frames, context, vma.range(), [&](VirtAddr, PteSlot slot) {
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
  m.mmu->flush_range(context, vma.range());
}

// Returns the vma that `vma` is from `range.start` to `range.end`, which it may reach
// beyond, and splits it to that end.
Result<Vma*> cut_out(Machine& m, Vma& vma, VirtRange range)
    REQUIRES(vma.vm_mm->mmap_sem) {
  Vma* part = &vma;
  if (vma.vm_start < range.start) {
    const Result<Vma*> upper = split_vma(m, vma, range.start);
    if (!upper) return upper;
    part = *upper;
  }
  if (part->vm_end > range.end) {
    part->vm_mm->mmap_sem.assert_held();
    const Result<Vma*> rest = split_vma(m, *part, range.end);
    if (!rest) return rest;
  }
  return part;
}

// Kernel: mprotect_fixup(), without its merging.
Result<Vma*> mprotect_fixup(Machine& m, Vma& vma, VirtRange range,
                            std::uint32_t vm_access) REQUIRES(vma.vm_mm->mmap_sem) {
  const std::uint32_t vm_flags = (vma.vm_flags & ~kVmAccess) | vm_access;
  if (vm_flags == vma.vm_flags) return &vma;
  const Result<Vma*> part = cut_out(m, vma, range);
  if (!part) return part;
  Vma& changed = **part;
  changed.vm_mm->mmap_sem.assert_held();
  change_vma(m, changed, [&] { changed.vm_flags = vm_flags; });
  change_protection(m, changed);
  return part;
}

}  // namespace

Status do_mprotect(Machine& m, Mm& mm, VirtRange range, std::uint32_t vm_access) {
  const bool aligned = range.start % kPageSize == 0 && range.end % kPageSize == 0;
  if (!aligned || range.start >= range.end || (vm_access & ~kVmAccess) != 0) {
    return Status::kInvalid;
  }
  const WriteGuard guard(mm.mmap_sem);
  VirtAddr done = range.start;
  for (Vma* vma = mm.vmas.find(done); done < range.end; vma = VmaTree::next(*vma)) {
    if (vma == nullptr || vma->vm_start > done) return Status::kNoMemory;
    vma->vm_mm->mmap_sem.assert_held();
    const Result<Vma*> part = mprotect_fixup(m, *vma, {done, range.end}, vm_access);
    if (!part) return part.status();
    vma = *part;
    done = vma->vm_end;
  }
  return Status::kOk;
}

}  // namespace racier
