// core/mm/move_page_tables.cc - moves what ptes hold, table by table.
//
// A reverse-map walk that looks at both places of a page one after the other could find
// it at neither: the old one after the move, the new one before.  So the ptes of a
// table move under the locks of the reverse map (38a76013ad80, 3.7; 2.6.9 relied on the
// order of a list).  The TLBs are flushed before page_table_lock is free: from then on
// whoever unmaps the new place may free the page (eb66ae030829, 4.19).
//
// Tested by mremap_test.cc.
#include "core/mm/move_page_tables.h"

#include <algorithm>

#include "core/base/bug.h"
#include "core/mm/fault.h"
#include "core/mm/mmu_notifier.h"
#include "core/mm/tlb.h"
#include "core/mm/tlb_batch.h"
#include "core/objects/ptl.h"
#include "core/rmap/scheme.h"
#include "core/sync/maybe_guard.h"

namespace racier {
namespace {

// Returns the end of what one page table covers around `addr`.
VirtAddr end_of_table(VirtAddr addr) { return (addr | (table_span(1) - 1)) + 1; }

// Returns the first pages of `rest` that are in one table, before and after.
VirtRange first_part(const VirtRange& rest, VirtAddr to) {
  const VirtAddr end = std::min(end_of_table(rest.start), rest.end);
  const std::uint64_t room = end_of_table(to) - to;
  return {rest.start, std::min(end, rest.start + room)};
}

// Returns whether no pte of `range` holds anything.  Nobody can fill one meanwhile.
bool is_empty(Machine& m, Mm& mm, VirtRange range) {
  bool empty = true;
  for_each_locked_table(m, mm, range, [&](VirtRange part) {
    flush_tlb_batched_pending(m, mm);
    for_each_pte(m.frames, mm.context, part,
                 [&](VirtAddr, PteSlot slot) { empty = empty && slot.peek().none(); });
  });
  return empty;
}

// Moves one pte, whatever it holds, and returns that.  Kernel: the body of move_ptes().
Pte move_pte(Machine& m, const PageMove& move, VirtAddr addr, PteSlot slot)
    REQUIRES(move.dst.vm_mm->page_table_lock) {
  if (slot.peek().none()) return Pte();
  const VirtAddr to = move.to + (addr - move.from.start);
  const Pte pte = slot.get_and_clear();
  const Mm& mm = *move.dst.vm_mm;
  find_pte(m.frames, mm.context, to).set(pte);
  if (pte.is_migration()) {
    m.tracepoints->migration_entry_removed(pte.pfn(), mm, addr);
    m.tracepoints->migration_entry_added(pte.pfn(), mm, to);
  }
  if (!pte.present() || m.is_zero_page(pte.pfn())) return pte;
  m.scheme().move(m.page(pte.pfn()), move.src, addr, move.dst, to);
  return pte;
}

// Returns whether the old place of what has moved is flushed while the locks are held:
// as soon as they are free somebody may clean the new place, or unmap it and free its
// page, who flushes the new place only.
bool flushes_under_locks(Pte moved) {
  if (bug::armed(Bug::kMremapDirtyLost)) return false;
  return !bug::armed(Bug::kMremapLateTlbFlush) || moved.dirty();
}

// Flushes the old place when all locks are free, if that is left for then.
void flush_late(Machine& m, Mm& mm, VirtRange from) {
  if (!flushes_under_locks(Pte())) flush_tlb_range(m, mm, from);
}

// Holds the locks of two ptes of one mm: perhaps there is one for both.
class SCOPED_CAPABILITY PtlsGuard {
 public:
  PtlsGuard(Machine& m, Mm& mm, VirtAddr from, VirtAddr to)
      ACQUIRE(mm.page_table_lock) {
    from_.emplace(m, mm, from, std::source_location::current());
    const bool other = pte_lockptr(m, mm, from) != pte_lockptr(m, mm, to);
    if (other) to_.emplace(m, mm, to, 1, std::source_location::current());
  }
  ~PtlsGuard() noexcept(false) RELEASE() {
    to_.reset();
    from_.reset();
  }
  PtlsGuard(const PtlsGuard&) = delete;
  PtlsGuard& operator=(const PtlsGuard&) = delete;

 private:
  MaybeGuard<PtlGuard> from_;
  MaybeGuard<PtlGuard> to_;
};

// Moves the ptes of one table to one other.  Context: the locks of both held.
void move_ptes_of_table(Machine& m, const PageMove& move) {
  const MmuContext& context = move.dst.vm_mm->context;
  bool flush = false;
  flush_tlb_batched_pending(m, *move.dst.vm_mm);
  for_each_pte(m.frames, context, move.from, [&](VirtAddr addr, PteSlot slot) {
    assert_pte_locked(m, *move.dst.vm_mm, addr);
    const Pte moved = move_pte(m, move, addr, slot);
    flush = (moved.present() && flushes_under_locks(moved)) || flush;
  });
  if (flush) flush_tlb_range(m, *move.dst.vm_mm, move.from);
}

// Moves the ptes of one table while no walk looks.
void move_part(Machine& m, const PageMove& part) REQUIRES(part.src.vm_mm->mmap_sem) {
  Vma* const vmas[] = {&part.src, &part.dst};
  const std::size_t count = &part.src == &part.dst ? 1 : 2;
  const auto move = [&] {
    const PtlsGuard ptls(m, *part.dst.vm_mm, part.from.start, part.to);
    move_ptes_of_table(m, part);
  };
  if (bug::armed(Bug::kMremapDodgesMigrationWalk)) return move();
  m.scheme().adjust(std::span(vmas).first(count), {}, move);
}

}  // namespace

// (To the analysis page_table_lock is the lock of all ptes.)
void move_ptes(Machine& m, const PageMove& move) NO_THREAD_SAFETY_ANALYSIS {
  Mm& mm = *move.src.vm_mm;
  if (!m.options().period.split_ptl) {
    move_ptes_of_table(m, move);
    return flush_late(m, mm, move.from);
  }
  for (VirtRange rest = move.from; rest.start < rest.end;) {
    const VirtAddr to = move.to + (rest.start - move.from.start);
    const VirtRange part = first_part(rest, to);
    if (find_pte_table(m.frames, mm.context, part.start) != kNoPfn) {
      const PtlsGuard ptls(m, mm, part.start, to);
      move_ptes_of_table(m, {move.src, part, move.dst, to});
    }
    rest.start = part.end;
  }
  flush_late(m, mm, move.from);
}

std::uint64_t move_page_tables(Machine& m, const PageMove& move) {
  Mm& mm = *move.src.vm_mm;
  const NotifiedRange notified(m, mm, move.from);
  VirtRange rest = move.from;
  while (rest.start < rest.end) {
    const VirtAddr to = move.to + (rest.start - move.from.start);
    const VirtRange part = first_part(rest, to);
    if (!is_empty(m, mm, part)) {
      if (!pte_alloc(m, mm, to)) break;
      const PageMove some{move.src, part, move.dst, to};
      some.src.vm_mm->mmap_sem.assert_held();
      move_part(m, some);
    }
    rest.start = part.end;
  }
  flush_late(m, mm, move.from);
  return rest.start - move.from.start;
}

}  // namespace racier
