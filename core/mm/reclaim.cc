// core/mm/reclaim.cc - page_referenced, try_to_unmap, and the choice of who goes.
// Tested by reclaim_test.cc and corpus/programs.
#include "core/mm/reclaim.h"

#include <array>

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/filemap.h"
#include "core/mm/mmlist.h"
#include "core/mm/mmu_notifier.h"
#include "core/mm/page_alloc.h"
#include "core/mm/swap.h"
#include "core/mm/tlb.h"
#include "core/mm/tlb_batch.h"
#include "core/mm/writeback.h"
#include "core/objects/page_table.h"
#include "core/objects/ptl.h"
#include "core/sync/context.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

using rmap::Mapping;
using rmap::Walk;

// Clears the accessed bit; returns whether it was set.  Where unmapping is batched the
// TLBs keep what they have, and later accesses go unnoticed, which makes the page seem
// older than it is.  Kernel: ptep_clear_flush_young(); x86 has not flushed since 3.15
// (b13b1d2d8692).
bool clear_young(Machine& m, const Mapping& at, PteSlot slot) {
  const bool used = mmu_notifier_clear_flush_young(m, *at.vma->vm_mm, at.addr);
  if (!slot.clear_flags(Pte::kAccessed).young()) return used;
  if (!m.options().period.batched_unmap) flush_tlb_page(m, *at.vma->vm_mm, at.addr);
  return true;
}

// Returns whether the pte at `at` used `page` since it was last asked.
// Kernel: mm/rmap.c page_referenced_one(), v2.6.9.
bool page_referenced_one(Machine& m, const Page& page, const Mapping& at) {
  if (!m.scheme().lock_ptl(at)) return false;
  const PtlGuard guard(m, *at.vma->vm_mm, at.addr, kAdopt);
  const PteSlot slot = find_pte(m.frames, at.vma->vm_mm->context, at.addr);
  if (!slot || !still(slot.get().maps(page.pfn))) return false;
  if (at.vma->is(kVmLocked)) return true;
  return clear_young(m, at, slot);
}

// Returns whether the page, which was freed lazily and whose pte was just emptied, may
// be dropped with what is in it: nobody has stored to it since, and nobody who has a
// reference is about to (5.18).  Else it is as any other page again.
// Context: page_table_lock of the pte held.
bool is_lazily_free(Machine& m, Page& page, const Mm& mm) {
  // The caller's and the ptes', this one's included, and the reverse map's.
  const int own = m.scheme().own_refs(page);
  const bool pinned = page.count.read() != 1 + own + page.mapcount.load() + 1;
  // Who sleeps is not told yet, and may have stored to it; who is no longer there has
  // told the page before, so that is asked behind it.
  const bool used = mm_has_sleeping_notifiers(m, mm) || page.test(PageFlag::kDirty);
  if (still(!pinned) && !used) return true;
  page.clear(PageFlag::kLazyFree);
  return false;
}

// Leaves in an emptied pte, which was `before`, what leads back to the page.
void leave_entry(Machine& m, Page& page, const Mapping& at, PteSlot slot, Pte before,
                 Ttu ttu) {
  if (ttu == Ttu::kMigration && !page.test(PageFlag::kSwapCache)) {
    slot.set(Pte::migration(page.pfn, before.writable()));
    m.tracepoints->migration_entry_added(page.pfn, *at.vma->vm_mm, at.addr);
    return;
  }
  if (!page.is_anon()) return;
  const SwapEntry entry = page.swap_entry();
  const Status duplicated = swap_duplicate(m, entry);
  invariant(Inv::kUnmapAnonIsInSwapCache, duplicated == Status::kOk);
  // Behind swap_duplicate(): before it, somebody who finds no swap in use could take us
  // off the list again.
  if (!bug::armed(Bug::kMmlistJoinedBeforeSlot)) mmlist_join(m, *at.vma->vm_mm);
  slot.set(Pte::swap(entry));
}

// Turns one pte into a swap or migration entry, or empties it (a file page), if it
// still maps `page`.  Kernel: mm/rmap.c try_to_unmap_one(), v2.6.9, and v2.6.18.
Unmap try_to_unmap_one(Machine& m, Page& page, const Mapping& at, Ttu ttu,
                       TlbUbc* ubc) {
  if (!m.scheme().lock_ptl(at)) return Unmap::kAgain;
  const PtlGuard guard(m, *at.vma->vm_mm, at.addr, kAdopt);
  Mm& mm = *at.vma->vm_mm;
  const PteSlot slot = find_pte(m.frames, mm.context, at.addr);
  if (!slot || !still(slot.get().maps(page.pfn))) {
    mark::hit(Mark::kUnmapStaleHint);
    return Unmap::kAgain;
  }
  if (ttu == Ttu::kUnmap && at.vma->is(kVmLocked)) return Unmap::kFail;
  if (ttu == Ttu::kUnmap && clear_young(m, at, slot)) return Unmap::kFail;
  const Pte before = slot.get_and_clear();
  if (ubc != nullptr) {
    ubc->took(mm, at.addr, before);
  } else {
    flush_tlb_page(m, mm, at.addr);
  }
  mmu_notifier_invalidate_page(m, mm, at.addr);
  if (before.dirty()) page.set(PageFlag::kDirty);
  const bool lazily = ttu == Ttu::kUnmap && page.test(PageFlag::kLazyFree) &&
                      !page.test(PageFlag::kSwapCache);
  if (lazily && !is_lazily_free(m, page, mm)) {
    slot.set(before);
    return Unmap::kFail;
  }
  if (!lazily) leave_entry(m, page, at, slot, before, ttu);
  if (lazily) mark::hit(Mark::kLazyFreed);
  if (page.is_anon()) --at.vma->vm_mm->anon_rss;
  --at.vma->vm_mm->rss;
  m.scheme().remove(page, *at.vma, at.addr);
  put_page(m, page);  // the pte's reference; the caller has another
  return Unmap::kAgain;
}

// How many of the LRU's pages one pass looks at together.  Kernel: SWAP_CLUSTER_MAX.
constexpr int kBatch = 8;

struct Batch {
  std::array<Page*, kBatch> pages{};
  int count = 0;
};

// Takes up to kBatch of the least used pages off a list, with a reference each.  A page
// whose last reference is just going is left to whoever frees it.
Batch isolate(Lru& lru, bool active) {
  Batch batch;
  const SpinGuard guard(lru.lru_lock);
  auto& list = active ? lru.active : lru.inactive;
  std::int64_t& count = active ? lru.nr_active : lru.nr_inactive;
  for (std::int64_t scan = count; scan > 0 && batch.count < kBatch; --scan) {
    Page& page = *list.back();
    list.erase(page);
    if (!get_page_unless_zero(page)) {
      list.push_front(page);
      continue;
    }
    page.clear(PageFlag::kLru);
    page.clear(PageFlag::kActive);
    --count;
    batch.pages[batch.count++] = &page;
  }
  return batch;
}

// Asks for references of a page that may not be locked: for a file page the lock is
// needed.
bool used_lately(Machine& m, Page& page) {
  if (!rmap::walk_needs_page_lock(page)) return page_referenced(m, page) > 0;
  if (!trylock_page(page)) return true;
  const int referenced = page_referenced(m, page);
  unlock_page(m, page);
  return referenced > 0;
}

// Moves pages that nobody used lately from the active to the inactive list.  Returns
// how many it looked at.  Kernel: refill_inactive_zone().
int refill_inactive(Machine& m) {
  const Batch batch = isolate(m.lru, true);
  for (int i = 0; i < batch.count; ++i) {
    Page& page = *batch.pages[i];
    const bool used = page.is_mapped() && used_lately(m, page);
    putback_lru_page(m, page, used);
  }
  return batch.count;
}

// Takes the locked, unmapped page out of the swap cache or its file, if it is clean and
// only the cache and the caller refer to it: both under tree_lock, so that nobody finds
// it there in between.  Kernel: the end of shrink_list().
bool remove_from_cache(Machine& m, Page& page) {
  if (page.test(PageFlag::kSwapCache)) return remove_clean_swap_page(m, page);
  // An anonymous page whose last pte went while it was isolated is in no cache, and
  // keeps its mapping.  Kernel: page_mapping() is null for it.
  if (page.is_anon()) return false;
  return page.mapping.load() != 0 && remove_clean_file_page(m, page);
}

// Writes the locked, unmapped page to its file, if only the cache and the caller refer
// to it.  A page that was truncated has no file.
bool page_out_to_file(Machine& m, Page& page) {
  if (page.is_anon() || page.mapping.load() == 0) return false;
  if (!still(page.count.read() == 2)) return false;
  write_locked_page(m, page);
  mark::hit(Mark::kReclaimWroteFile);
  return true;
}

// Makes the content of the locked, unmapped page safe.  Returns false if it must stay.
// Kernel: pageout().
bool page_out(Machine& m, Page& page) {
  const bool shmem =
      page.test(PageFlag::kSwapBacked) && !page.test(PageFlag::kSwapCache);
  if (shmem && (page.mapping.load() == 0 || !move_to_swap_cache(m, page))) return false;
  if (!page.test(PageFlag::kDirty)) return true;
  if (!page.test(PageFlag::kSwapCache)) return page_out_to_file(m, page);
  return still(page.count.read() == 2) && swap_writepage(m, page);
}

// Returns whether the unmapped page was freed lazily, and only the caller has it.
bool is_dropped(const Page& page) {
  return page.test(PageFlag::kLazyFree) && !page.test(PageFlag::kSwapCache) &&
         still(page.count.read() == 1);
}

enum class Fate : std::uint8_t { kFreed, kKeep, kActivate };

// Decides on one locked page, which the caller has isolated.  Kernel: shrink_list().
Fate shrink_locked_page(Machine& m, Page& page) {
  // Nobody else may find the page with a flush put off: it goes before the page lock.
  TlbUbc ubc(m);
  if (page_referenced(m, page) > 0 && page.is_mapped()) return Fate::kActivate;
  if (page.is_mapped()) {
    const bool to_swap = page.is_anon() && !page.test(PageFlag::kSwapCache) &&
                         !page.test(PageFlag::kLazyFree);
    if (to_swap && !give_slot(m, page)) return Fate::kActivate;
    const Unmap unmapped = try_to_unmap(m, page, Ttu::kUnmap, &ubc);
    if (unmapped == Unmap::kFail) return Fate::kActivate;
    if (unmapped == Unmap::kAgain) return Fate::kKeep;
    mark::hit(Mark::kReclaimUnmapped);
  }
  m.scheme().trim(page);
  if (is_dropped(page)) return Fate::kFreed;
  ubc.flush_dirty();
  if (!page_out(m, page)) return Fate::kKeep;
  // When it is in no cache any more, whoever faults gets another copy.
  if (!bug::armed(Bug::kBatchedFlushAfterRemoval)) ubc.flush();
  return remove_from_cache(m, page) ? Fate::kFreed : Fate::kKeep;
}

// Tries to free an isolated page; returns whether it did.
bool shrink_page(Machine& m, Page& page) {
  Fate fate = Fate::kKeep;
  if (trylock_page(page)) {
    fate = shrink_locked_page(m, page);
    unlock_page(m, page);
  }
  if (fate == Fate::kFreed) {
    put_page(m, page);  // the last reference
  } else {
    putback_lru_page(m, page, fate == Fate::kActivate);
  }
  return fate == Fate::kFreed;
}

// Tries to free up to kBatch pages of the inactive list; returns how many it looked at,
// and adds to `freed`.  Kernel: shrink_cache().
int shrink_inactive(Machine& m, int& freed) {
  const Batch batch = isolate(m.lru, false);
  for (int i = 0; i < batch.count; ++i) {
    if (shrink_page(m, *batch.pages[i])) ++freed;
  }
  return batch.count;
}

// Returns how many pages of a list one pass at `priority` looks at.
std::int64_t scan_count(Lru& lru, bool active, int priority) {
  const SpinGuard guard(lru.lru_lock);
  return ((active ? lru.nr_active : lru.nr_inactive) >> priority) + 1;
}

}  // namespace

bool give_slot(Machine& m, Page& page) {
  if (bug::armed(Bug::kMmlistJoinedBeforeSlot)) {
    m.scheme().walk(page, [&](const Mapping& at) {
      mmlist_join(m, *at.vma->vm_mm);
      return Walk::kContinue;
    });
  }
  return add_to_swap(m, page);
}

int page_referenced(Machine& m, Page& page) {
  int referenced = page.clear(PageFlag::kReferenced) ? 1 : 0;
  if (!page.is_mapped()) return referenced;
  m.scheme().walk(page, [&](const Mapping& at) {
    if (page_referenced_one(m, page, at)) ++referenced;
    return Walk::kContinue;
  });
  return referenced;
}

Unmap try_to_unmap(Machine& m, Page& page, Ttu ttu, TlbUbc* ubc) {
  invariant(Inv::kUnmapHoldsPageLock, page.test(PageFlag::kLocked));
  // A walk that may sleep keeps the mm; another one perhaps no longer than its pte.
  const bool keeps_mm = m.scheme().traits().walk_may_sleep;
  Unmap last = Unmap::kAgain;
  m.scheme().walk(page, [&](const Mapping& at) {
    Mm& mm = *at.vma->vm_mm;
    last = try_to_unmap_one(m, page, at, ttu, ubc);
    if (keeps_mm && mm.notifiers.any() && page.is_anon()) {
      mmu_notifier_invalidate_page_sleeping(m, mm, at.addr);
    }
    const bool done = last == Unmap::kFail || !page.is_mapped();
    return done ? Walk::kStop : Walk::kContinue;
  });
  return page.is_mapped() ? last : Unmap::kSuccess;
}

void mark_page_lazyfree(Machine& m, Page& page) {
  page.set(PageFlag::kLazyFree);
  const SpinGuard guard(m.lru.lru_lock);
  if (!page.test(PageFlag::kLru) || !page.clear(PageFlag::kActive)) return;
  m.lru.active.erase(page);
  --m.lru.nr_active;
  m.lru.inactive.push_front(page);
  ++m.lru.nr_inactive;
}

bool reclaim_page(Machine& m, Page& page) {
  might_sleep();
  bool active = false;
  const bool isolated = isolate_lru_page(m, page, active);
  put_page(m, page);  // who isolates takes a reference of its own
  return isolated && shrink_page(m, page);
}

int shrink_lru(Machine& m, int pages) {
  might_sleep();
  int freed = 0;
  // The first passes look at a part of the lists; what was used since then is spared.
  for (int priority = 3; priority >= 0 && freed < pages; --priority) {
    for (std::int64_t left = scan_count(m.lru, true, priority); left > 0;) {
      const int looked = refill_inactive(m);
      if (looked == 0) break;
      left -= looked;
    }
    for (std::int64_t left = scan_count(m.lru, false, priority);
         left > 0 && freed < pages;) {
      const int looked = shrink_inactive(m, freed);
      if (looked == 0) break;
      left -= looked;
    }
  }
  return freed;
}

}  // namespace racier
