// core/mm/madvise.cc - follows advice, vma by vma.
//
// Advice that changes a vma holds mmap_sem for writing; what only takes pages away
// holds it for reading, beside faults that bring pages back.
//
// Tested by madvise_test.cc and corpus/programs/madvise_*.racier.
#include "core/mm/madvise.h"

#include <algorithm>

#include "core/base/function_ref.h"
#include "core/mm/find_vma.h"
#include "core/mm/mmap.h"
#include "core/mm/mmu_notifier.h"
#include "core/mm/page_alloc.h"
#include "core/mm/reclaim.h"
#include "core/mm/swap.h"
#include "core/mm/tlb.h"
#include "core/mm/tlb_batch.h"
#include "core/mm/vma_cache.h"
#include "core/mm/vma_merge.h"
#include "core/objects/ptl.h"

namespace racier {
namespace {

using OnVma = FunctionRef<Status(Vma&, VirtRange)>;

// Does `work` with each vma of `range` and the part of it that is in there; `work` may
// merge the vma with its neighbours.
// Context: mmap_sem held.
Status for_each_vma(Machine& m, Mm& mm, VirtRange range, OnVma work)
    REQUIRES_SHARED(mm.mmap_sem) {
  bool hole = false;
  for (VirtAddr at = range.start; at < range.end;) {
    Vma* const vma = find_vma(m, mm, at);
    if (vma == nullptr || vma->vm_start >= range.end) return Status::kNoMemory;
    hole = hole || vma->vm_start > at;
    const VirtRange part{std::max(at, vma->vm_start), std::min(range.end, vma->vm_end)};
    const Status status = work(*vma, part);
    if (status != Status::kOk) return status;
    at = part.end;
  }
  return hole ? Status::kNoMemory : Status::kOk;
}

bool is_private_anonymous(const Vma& vma) {
  return vma.vm_file == nullptr && !vma.is(kVmShared);
}

// Kernel: madvise_behavior().
Status change_behaviour(Machine& m, Vma& vma, VirtRange part, Advice advice)
    REQUIRES(vma.vm_mm->mmap_sem) {
  std::uint32_t vm_flags = vma.vm_flags;
  switch (advice) {
    case Advice::kDontfork:
      vm_flags |= kVmDontCopy;
      break;
    case Advice::kDofork:
      vm_flags &= ~kVmDontCopy;
      break;
    case Advice::kKeeponfork:
      vm_flags &= ~kVmWipeOnFork;
      break;
    default:
      if (!is_private_anonymous(vma)) return Status::kInvalid;
      vm_flags |= kVmWipeOnFork;
  }
  return vma_modify_flags(m, vma, part, vm_flags).status();
}

// Kernel: madvise_dontneed().
Status dontneed(Machine& m, Vma& vma, VirtRange part) {
  if (vma.is(kVmLocked)) return Status::kInvalid;
  m.tracepoints->discard_begin(*vma.vm_mm, part, false);
  zap_page_range(m, vma, part);
  m.tracepoints->discard_end(*vma.vm_mm, part, false);
  return Status::kOk;
}

// Takes the page, which only one pte maps, out of the swap cache, and makes it clean.
// Returns whether it could.  Context: page_table_lock held.
bool forget_content(Machine& m, Page& page) {
  get_page(page);
  bool forgotten = false;
  if (trylock_page(page)) {
    forgotten = page.mapcount.load() == 0 && (!page.test(PageFlag::kSwapCache) ||
                                              remove_exclusive_swap_page(m, page));
    if (forgotten) page.clear(PageFlag::kDirty);
    unlock_page(m, page);
  }
  put_page(m, page);
  return forgotten;
}

// Kernel: madvise_free_pte_range(), the step for one pte.
void free_pte(Machine& m, Vma& vma, VirtAddr addr, PteSlot slot)
    REQUIRES(vma.vm_mm->page_table_lock) {
  const Pte pte = slot.get();
  if (pte.is_swap()) {
    slot.set(Pte{});
    free_swap_and_cache(m, pte.swap_entry());
    return;
  }
  if (!pte.present() || m.is_zero_page(pte.pfn())) return;
  Page& page = m.page(pte.pfn());
  // What others map, too, is not ours to forget.
  if (page.mapcount.load() != 0 || !forget_content(m, page)) return;
  // From here on a store makes the pte dirty again, and reclaim sees that.
  slot.set(slot.get_and_clear().without(Pte::kAccessed | Pte::kDirty));
  flush_tlb_page(m, *vma.vm_mm, addr);
  mark_page_lazyfree(m, page);
}

// Kernel: madvise_free_single_vma().
Status free_lazily(Machine& m, Vma& vma, VirtRange part) {
  if (vma.is(kVmLocked) || !is_private_anonymous(vma)) return Status::kInvalid;
  Mm& mm = *vma.vm_mm;
  m.tracepoints->discard_begin(mm, part, true);
  const NotifiedRange notified(m, mm, part);
  for_each_locked_table(m, mm, part, [&](VirtRange table) {
    flush_tlb_batched_pending(m, mm);
    for_each_pte(m.frames, mm.context, table, [&](VirtAddr addr, PteSlot slot) {
      assert_pte_locked(m, *vma.vm_mm, addr);
      if (!slot.peek().none()) free_pte(m, vma, addr, slot);
    });
  });
  m.tracepoints->discard_end(mm, part, true);
  return Status::kOk;
}

// Returns the page at `addr`, not young any more, with a reference, if nobody else maps
// it; or nullptr.
Page* take_cold_page(Machine& m, Vma& vma, VirtAddr addr) {
  const PtlGuard guard(m, *vma.vm_mm, addr);
  const PteSlot slot = guard.slot();
  const Pte pte = slot ? slot.get() : Pte{};
  if (!pte.present() || m.is_zero_page(pte.pfn())) return nullptr;
  Page& page = m.page(pte.pfn());
  if (page.mapcount.load() != 0) return nullptr;
  mmu_notifier_clear_flush_young(m, *vma.vm_mm, addr);
  if (slot.clear_flags(Pte::kAccessed).young()) flush_tlb_page(m, *vma.vm_mm, addr);
  page.clear(PageFlag::kReferenced);
  get_page(page);
  return &page;
}

// Kernel: madvise_pageout().
Status pageout(Machine& m, Vma& vma, VirtRange part) {
  if (vma.is(kVmLocked)) return Status::kInvalid;
  for (VirtAddr addr = part.start; addr < part.end; addr += kPageSize) {
    Page* const page = take_cold_page(m, vma, addr);
    if (page != nullptr) reclaim_page(m, *page);
  }
  return Status::kOk;
}

Status take_pages_away(Machine& m, Vma& vma, VirtRange part, Advice advice) {
  if (advice == Advice::kDontneed) return dontneed(m, vma, part);
  return advice == Advice::kFree ? free_lazily(m, vma, part) : pageout(m, vma, part);
}

// Kernel: madvise_need_mmap_write().
bool changes_vmas(Advice advice) {
  return advice != Advice::kDontneed && advice != Advice::kFree &&
         advice != Advice::kPageout;
}

bool is_valid(VirtRange range) {
  return range.start % kPageSize == 0 && range.end % kPageSize == 0 &&
         range.start < range.end;
}

}  // namespace

Status do_madvise(Machine& m, Mm& mm, VirtRange range, Advice advice) {
  if (!is_valid(range)) return Status::kInvalid;
  if (!changes_vmas(advice)) {
    const ReadGuard guard(mm.mmap_sem);
    return for_each_vma(m, mm, range, [&](Vma& vma, VirtRange part) {
      return take_pages_away(m, vma, part, advice);
    });
  }
  const MmapWriteGuard guard(m, mm);
  return for_each_vma(m, mm, range, [&](Vma& vma, VirtRange part) {
    vma.vm_mm->mmap_sem.assert_held();
    return change_behaviour(m, vma, part, advice);
  });
}

}  // namespace racier
