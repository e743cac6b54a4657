// core/mm/copy_page_range.cc - copies ptes, table by table.
//
// The child's page_table_lock is the outer one, the parent's is taken inside of it.
// Neither is held while memory is allocated: whoever meets a page without a ticket for
// it lets go of both and comes back.
//
// Tested by fork_test.cc.
#include "core/mm/copy_page_range.h"

#include <algorithm>
#include <optional>

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/fault.h"
#include "core/mm/mmlist.h"
#include "core/mm/mmu_notifier.h"
#include "core/mm/page_alloc.h"
#include "core/mm/swap.h"
#include "core/objects/ptl.h"
#include "core/rmap/scheme.h"

namespace racier {
namespace {

// A ticket in hand.  One that cost nothing is good for any number of pages.
using Paid = std::optional<rmap::Ticket>;

// The two ends of one pte's copy.
struct PtePair {
  VirtAddr addr;
  PteSlot from;
  PteSlot to;
};

// Write-protects a private page in the parent, and returns what the child gets.
Pte share_pte(const Vma& src, PteSlot from) {
  Pte pte = from.get();
  const bool shared = src.is(kVmShared);
  if (!shared && pte.writable()) pte = from.clear_flags(Pte::kWrite);
  // What is private stays dirty: each of the two may be the last to map it.  What is
  // shared is dirty in the parent.
  return pte.without(Pte::kAccessed | (shared ? Pte::kDirty : Pte::kWrite));
}

// Kernel: copy_pte_range(), the step for a page.
void copy_mapped_page(Machine& m, Vma& dst, const Vma& src, const PtePair& ptes,
                      rmap::Ticket ticket)
    REQUIRES(dst.vm_mm->page_table_lock, src.vm_mm->page_table_lock) {
  const Pte pte = share_pte(src, ptes.from);
  Page& page = m.page(pte.pfn());
  get_page(page);
  ++dst.vm_mm->rss;
  if (page.is_anon()) ++dst.vm_mm->anon_rss;
  ptes.to.set(pte);
  m.scheme().dup(page, dst, ptes.addr, ticket);
}

// The page cannot be written in place any more, once it is there: both get an entry for
// reading.  The walk that will replace them comes to `dst` after `src`.  Kernel:
// copy_one_pte(), v2.6.18.
void copy_migration_entry(Machine& m, const Vma& dst, const Vma& src,
                          const PtePair& ptes) {
  Pte pte = ptes.from.get();
  if (pte.is_write_migration() && !src.is(kVmShared)) {
    pte = Pte::migration(pte.pfn(), false);
    ptes.from.set(pte);
  }
  ptes.to.set(pte);
  m.tracepoints->migration_entry_added(pte.pfn(), *dst.vm_mm, ptes.addr);
  mark::hit(Mark::kMigrationEntryForked);
}

// Copies one pte.  Spends `ticket` on a page, and returns kAgain if there is none.
Status copy_pte(Machine& m, Vma& dst, const Vma& src, const PtePair& ptes, Paid& ticket)
    REQUIRES(dst.vm_mm->page_table_lock, src.vm_mm->page_table_lock) {
  // Nobody fills or empties it without the lock that is held, so to look is no step.
  const Pte pte = ptes.from.peek();
  if (pte.none()) return Status::kOk;
  if (pte.is_migration()) {
    copy_migration_entry(m, dst, src, ptes);
    return Status::kOk;
  }
  if (pte.is_swap() || m.is_zero_page(pte.pfn())) {
    if (pte.is_swap()) {
      const Status duplicated = swap_duplicate(m, pte.swap_entry());
      invariant(Inv::kSwapSlotInUse, duplicated == Status::kOk);
      mmlist_join_behind(m, *dst.vm_mm, *src.vm_mm);
    }
    ptes.to.set(pte);
    return Status::kOk;
  }
  if (!ticket) return Status::kAgain;
  copy_mapped_page(m, dst, src, ptes, *ticket);
  if (ticket->paid() != nullptr) ticket.reset();
  return Status::kOk;
}

// Returns the end of what a table of `level` covers around `addr`.
VirtAddr end_of_table(VirtAddr addr, int level) {
  return (addr | (table_span(level + 1) - 1)) + 1;
}

// Copies the ptes of one table from `addr` on; moves `addr` behind the last one copied.
// Errors: as copy_pte().
Status copy_ptes(Machine& m, Vma& dst, Vma& src, VirtAddr& addr, Paid& ticket)
    REQUIRES(src.vm_mm->mmap_sem, dst.vm_mm->mmap_sem) {
  const VirtAddr end = std::min(end_of_table(addr, 0), src.vm_end);
  if (!pte_alloc(m, *dst.vm_mm, addr)) return Status::kNoMemory;
  const PtlGuard dst_ptl(m, *dst.vm_mm, addr);
  const PtlGuard src_ptl(m, *src.vm_mm, addr, 1);
  for (; addr < end; addr += kPageSize) {
    const PtePair ptes{addr, find_pte(m.frames, src.vm_mm->context, addr),
                       find_pte(m.frames, dst.vm_mm->context, addr)};
    const Status status = copy_pte(m, dst, src, ptes, ticket);
    if (status != Status::kOk) return status;
  }
  return Status::kOk;
}

// As copy_page_range(), with a ticket that it may leave behind.
Status copy_tables(Machine& m, Vma& dst, Vma& src, Paid& ticket)
    REQUIRES(src.vm_mm->mmap_sem, dst.vm_mm->mmap_sem) {
  for (VirtAddr addr = src.vm_start; addr < src.vm_end;) {
    // No page_table_lock: tables come and go under mmap_sem only, which we hold for
    // writing.
    const int missing = missing_table(m.frames, src.vm_mm->context, addr);
    if (missing >= 0) {
      addr = end_of_table(addr, missing);
      continue;
    }
    Status status = copy_ptes(m, dst, src, addr, ticket);
    if (status == Status::kAgain) {
      const Result<rmap::Ticket> fresh = m.scheme().prepare(dst);
      status = fresh.status();
      if (fresh) ticket = *fresh;
    }
    if (status != Status::kOk) return status;
  }
  return Status::kOk;
}

}  // namespace

Status copy_page_range(Machine& m, Vma& dst, Vma& src) {
  Paid ticket;
  const bool changes = !src.is(kVmShared) && !bug::armed(Bug::kForkNotNotified);
  const NotifiedRange notified(m, *src.vm_mm, src.range(), changes);
  const Status status = copy_tables(m, dst, src, ticket);
  if (ticket) m.scheme().refund(*ticket);
  return status;
}

}  // namespace racier
