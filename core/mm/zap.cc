// core/mm/zap.cc - drops what ptes hold: pages, swap slots, nothing.
// Tested by munmap_test.cc and zap_test.cc.
#include "core/mm/zap.h"

#include "core/base/bug.h"
#include "core/base/mark.h"
#include "core/mm/mmap.h"
#include "core/mm/mmu_notifier.h"
#include "core/mm/page_alloc.h"
#include "core/mm/swap.h"
#include "core/mm/tlb.h"
#include "core/mm/tlb_batch.h"
#include "core/mm/writeback.h"
#include "core/objects/ptl.h"
#include "core/rmap/scheme.h"

namespace racier {
namespace {

// `pte` was just taken out at `addr`; it maps a page.
void drop_page(Machine& m, MmuGather& tlb, Vma& vma, VirtAddr addr, Pte pte)
    REQUIRES(vma.vm_mm->page_table_lock) {
  Page& page = m.page(pte.pfn());
  if (pte.dirty()) {
    // Who writes the page to its file finds no pte here, and need not look: so from now
    // on no cached translation may write (2.6.9 flushed with the rest; 6.2).
    if (vma_wants_writenotify(vma) && !bug::armed(Bug::kZapDirtyBeforeTlbFlush)) {
      flush_tlb_page(m, *vma.vm_mm, addr);
    }
    page.set(PageFlag::kDirty);
  }
  --vma.vm_mm->rss;
  if (page.is_anon()) {
    --vma.vm_mm->anon_rss;
  } else if (pte.young()) {
    mark_page_accessed(m, page);
  }
  m.scheme().remove(page, vma, addr);
  tlb.remove_page(page, addr);
}

// Returns whether `pte` maps a page of `file`.
bool is_of(Machine& m, Pte pte, const AddressSpace& file) {
  return pte.present() &&
         m.page(pte.pfn()).mapping.load() == reinterpret_cast<std::uintptr_t>(&file);
}

// Kernel: zap_pte_range(), the step for one pte.
void zap_pte(Machine& m, MmuGather& tlb, Vma& vma, VirtAddr addr, PteSlot slot,
             const AddressSpace* only) REQUIRES(vma.vm_mm->page_table_lock) {
  // Nobody fills an empty pte without the lock that is held, so to see one is no step.
  if (slot.peek().none()) return;
  if (only != nullptr && !is_of(m, slot.peek(), *only)) return;
  const Pte pte = slot.get_and_clear();
  if (pte.is_migration()) {
    // Whoever moves the page has a reference; the entry had none.
    m.tracepoints->migration_entry_removed(pte.pfn(), *vma.vm_mm, addr);
    mark::hit(Mark::kMigrationEntryZapped);
  } else if (!pte.present()) {
    free_swap_and_cache(m, pte.swap_entry());
  } else if (m.is_zero_page(pte.pfn())) {
    tlb.note(addr);
  } else {
    drop_page(m, tlb, vma, addr, pte);
  }
}

}  // namespace

void unmap_page_range(Machine& m, MmuGather& tlb, Vma& vma, VirtRange range,
                      const AddressSpace* only) {
  flush_tlb_batched_pending(m, *vma.vm_mm);
  for_each_pte(m.frames, vma.vm_mm->context, range, [&](VirtAddr addr, PteSlot slot) {
    assert_pte_locked(m, *vma.vm_mm, addr);
    zap_pte(m, tlb, vma, addr, slot, only);
  });
}

void zap_page_range(Machine& m, Vma& vma, VirtRange range, const AddressSpace* only) {
  // Truncation comes with a spinlock.
  const Sleepers sleepers = vma.vm_file == nullptr ? Sleepers::kYes : Sleepers::kNo;
  const NotifiedRange notified(m, *vma.vm_mm, range, true, sleepers);
  for_each_locked_table(m, *vma.vm_mm, range, [&](VirtRange part) {
    assert_pte_locked(m, *vma.vm_mm, part.start);
    MmuGather tlb(m, *vma.vm_mm);
    unmap_page_range(m, tlb, vma, part, only);
  });
}

}  // namespace racier
