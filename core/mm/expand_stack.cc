// core/mm/expand_stack.cc - lets a stack grow.
//
// A stack grows under mmap_sem for writing, as since 6.5 (StackRot), so that whoever
// holds it for reading sees bounds that stay; 2.6.9 held it for reading, and only the
// lock of the reverse map kept two faults apart.
//
// Tested by expand_stack_test.cc.
#include "core/mm/expand_stack.h"

#include "core/base/bug.h"
#include "core/mm/find_vma.h"
#include "core/mm/maple_store.h"
#include "core/mm/vma_cache.h"
#include "core/mm/vma_link.h"
#include "core/sync/maybe_guard.h"

namespace racier {
namespace {

// Returns whether the vma below leaves room, and the stack is small enough.
// Kernel: acct_stack_growth(), and the guard gap.
bool may_grow(Vma& stack, VirtAddr start) {
  const std::uint64_t pages = (stack.vm_end - start) >> kPageShift;
  if (pages > kStackPagesMax || pages > stack.vm_pgoff + stack.pages()) return false;
  const Vma* const below = VmaTree::prev(stack);
  // A part of the same stack that mprotect has split off is no danger to it.
  if (below == nullptr || below->is(kVmGrowsDown)) return start >= kStackGuardGap;
  return start - below->vm_end >= kStackGuardGap;
}

// Holds mmap_sem for writing; until 6.4 it was held for reading.
class GrowthGuard {
 public:
  GrowthGuard(const Machine& m, Mm& mm) NO_THREAD_SAFETY_ANALYSIS {
    const bool shared = bug::armed(Bug::kMunmapDowngradeVsExpand) ||
                        bug::armed(Bug::kMapleNodeReplacedUnderReadLock);
    if (!shared) {
      exclusive_.emplace(m, mm, std::source_location::current());
    } else {
      shared_.emplace(mm.mmap_sem, std::source_location::current());
    }
  }
  GrowthGuard(const GrowthGuard&) = delete;
  GrowthGuard& operator=(const GrowthGuard&) = delete;

 private:
  MaybeGuard<MmapWriteGuard> exclusive_;
  MaybeGuard<ReadGuard> shared_;
};

// Context: under a GrowthGuard.
Status grow_to(Machine& m, Vma& vma, VirtAddr start) NO_THREAD_SAFETY_ANALYSIS {
  MapleStore maple(m, *vma.vm_mm);
  bool prepared = false;
  change_vma(m, vma, [&] {
    // Under the lock: mmap_sem may not keep others from changing the tree, too.
    const VirtRange grown{start, vma.vm_end};
    prepared = maple.prepare(grown, {entry_at(vma, grown)});
    if (!prepared) return;
    vma.vm_pgoff -= (vma.vm_start - start) >> kPageShift;
    vma.vm_start = start;
    maple.store();
  });
  if (!prepared) return Status::kNoMemory;
  m.tracepoints->mapped(vma);
  return Status::kOk;
}

}  // namespace

VirtAddr vm_start_gap(const Vma& vma) {
  if (!vma.is(kVmGrowsDown)) return vma.vm_start;
  return vma.vm_start < kStackGuardGap ? 0 : vma.vm_start - kStackGuardGap;
}

Status expand_stack(Machine& m, Mm& mm, VirtAddr addr) {
  const GrowthGuard guard(m, mm);
  mm.mmap_sem.assert_held_shared();
  Vma* const vma = find_vma(m, mm, addr);
  if (vma == nullptr || !vma->is(kVmGrowsDown)) return Status::kFault;
  // Another thread may have been faster, and may have needed more.
  if (!bug::armed(Bug::kExpandStackUnserialised) && vma->vm_start <= addr) {
    return Status::kOk;
  }
  const VirtAddr start = page_floor(addr);
  if (!may_grow(*vma, start)) return Status::kFault;
  return grow_to(m, *vma, start);
}

}  // namespace racier
