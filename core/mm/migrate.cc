// core/mm/migrate.cc - moves a page to another frame.
//
// The page is locked and off the LRU.  Its ptes become migration entries, so whoever
// faults waits for the page lock.  Then the references are counted, under the lock of
// the cache that it is in: if there is one that nobody here knows of, the page stays.
// Else the new page takes its place in the cache, gets the content, and the entries
// become ptes again: of the new page, or of the old one.
//
// Tested by migrate_test.cc and corpus/programs/migrate_*.racier.
#include "core/mm/migrate.h"

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/base/require.h"
#include "core/mm/page_alloc.h"
#include "core/mm/reclaim.h"
#include "core/mm/swap.h"
#include "core/objects/ptl.h"
#include "core/rmap/scheme.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

using rmap::Mapping;
using rmap::Walk;

// Keeps what a page is found by while no pte maps it, for a scope.
class Held {
 public:
  Held(Machine& m, Page& page) : m_(m), hold_(m.scheme().hold(page)) {}
  ~Held() noexcept(false) {
    if (!run_is_over()) m_.scheme().release(hold_);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  explicit operator bool() const { return static_cast<bool>(hold_); }

 private:
  Machine& m_;
  const rmap::Hold hold_;
};

// ---- Migration entries --------------------------------------------------------------

// Makes a pte of `fresh` of the migration entry for `page` at `at`, if there is one.
// Whether it may be written the entry says: fork and mprotect see to it.
// Kernel: remove_migration_pte().
void remove_migration_pte(Machine& m, const Page& page, Page& fresh,
                          const Mapping& at) NO_THREAD_SAFETY_ANALYSIS {
  if (!m.scheme().lock_ptl(at)) return;
  Mm& mm = *at.vma->vm_mm;
  const PtlGuard guard(m, mm, at.addr, kAdopt);
  const PteSlot slot = find_pte(m.frames, mm.context, at.addr);
  if (!slot) return;
  const Pte entry = slot.get();
  if (!still(entry.is_migration() && entry.pfn() == page.pfn)) return;
  get_page(fresh);
  ++mm.rss;
  if (fresh.is_anon()) ++mm.anon_rss;
  m.scheme().restore(fresh, *at.vma, at.addr);
  const bool access = (at.vma->vm_flags & kVmAccess) != 0;
  const Pte pte =
      Pte::page(fresh.pfn, access ? Pte::kPresent | Pte::kUser : Pte::kProtNone);
  slot.set(access && entry.is_write_migration() ? pte.with(Pte::kWrite) : pte);
  m.tracepoints->migration_entry_removed(page.pfn, mm, at.addr);
}

// Likewise wherever there is one.  `fresh` may be the page itself.
// Context: both locked, `page` held.  Kernel: remove_migration_ptes().
void remove_migration_ptes(Machine& m, Page& page, Page& fresh) {
  m.scheme().walk_held(fresh, [&](const Mapping& at) {
    remove_migration_pte(m, page, fresh, at);
    return Walk::kContinue;
  });
}

// ---- The place in a cache -----------------------------------------------------------

// Returns whether `users` references are all that there are, beside the reverse map's.
// The map lets go of its own at any time, but takes none while the page is locked: so
// it is asked last.
bool only_users(Machine& m, const Page& page, int users,
                std::source_location where = std::source_location::current()) {
  const int count = page.count.read();
  return still(count == users + m.scheme().own_refs(page), where);
}

// Puts `fresh` where the swap cache has `page`.
bool move_in_swap_cache(Machine& m, Page& page, Page& fresh) {
  AddressSpace& swapper = m.swapper;
  const SpinGuard guard(swapper.tree_lock);
  const SwapEntry entry = page.swap_entry();
  CacheSlot& slot = swapper.slots[m.swap.index_of(entry)];
  invariant(Inv::kSwapCacheHoldsPage, entry && slot.page == &page);
  if (!only_users(m, page, 2)) return false;
  get_page(fresh);
  slot.page = &fresh;
  fresh.private_data.store(entry.val);
  fresh.set(PageFlag::kSwapCache);
  page.private_data.store(0);
  page.clear(PageFlag::kSwapCache);
  return true;
}

// Puts `fresh` where a file has `page`.
bool move_in_page_cache(Machine& m, Page& page, Page& fresh) {
  auto& mapping = *reinterpret_cast<AddressSpace*>(page.mapping.load());
  const SpinGuard guard(mapping.tree_lock);
  CacheSlot& slot = mapping.slots[page.index.load(std::memory_order_relaxed)];
  invariant(Inv::kPageCacheHoldsPage, slot.page == &page);
  if (!only_users(m, page, 2)) return false;
  get_page(fresh);
  slot.page = &fresh;
  if (page.test(PageFlag::kSwapBacked)) fresh.set(PageFlag::kSwapBacked);
  m.scheme().replace(page, fresh);
  return true;
}

// Gives `fresh` the place of `page`, which nobody maps.  Whoever finds it there waits
// for its lock: it has no content yet.  Returns false if somebody else uses the page.
// Kernel: migrate_page_move_mapping().
bool move_mapping(Machine& m, Page& page, Page& fresh) {
  const bool anon = page.is_anon();
  const bool in_swap_cache = page.test(PageFlag::kSwapCache);
  if (in_swap_cache) {
    if (!move_in_swap_cache(m, page, fresh)) return false;
  } else if (!anon) {
    if (!move_in_page_cache(m, page, fresh)) return false;
  } else if (!only_users(m, page, 1)) {
    return false;
  }
  if (anon) m.scheme().replace(page, fresh);
  if (in_swap_cache || !anon) put_page(m, page);  // the cache's
  return true;
}

// Kernel: migrate_page_copy().
void copy_content_and_flags(Machine& m, Page& page, Page& fresh) {
  {
    std::byte* const frame = m.frames.data(fresh.pfn);
    const WeakFill fill(frame, kPageSize);
    copy_user_frame(frame, m.frames.data(page.pfn));
  }
  if (page.clear(PageFlag::kDirty)) fresh.set(PageFlag::kDirty);
  if (page.clear(PageFlag::kReferenced)) fresh.set(PageFlag::kReferenced);
  if (page.test(PageFlag::kLazyFree)) fresh.set(PageFlag::kLazyFree);
  if (page.test(PageFlag::kUptodate)) fresh.set_uptodate();
}

// ---- One page -----------------------------------------------------------------------

// Its last user has gone while nobody looked: it has no pte and no cache.
bool is_unused(const Page& page) {
  if (page.is_mapped() || page.test(PageFlag::kSwapCache)) return false;
  return page.is_anon() || page.mapping.load() == 0;
}

// Moves `page`, which is in use; both are locked.  Nothing sleeps while the page is
// held.
Status move_used_page(Machine& m, Page& page, Page& fresh) {
  const Held held(m, page);
  // Who has it mapped will find it again only by swap.
  const bool by_swap = page.is_anon() && !held && !page.test(PageFlag::kSwapCache);
  if (by_swap && !add_to_swap(m, page)) return Status::kNoMemory;
  if (page.is_mapped()) {
    try_to_unmap(m, page, held ? Ttu::kMigration : Ttu::kForce);
  }
  const bool moved = !page.is_mapped() && move_mapping(m, page, fresh);
  if (moved) copy_content_and_flags(m, page, fresh);
  // What was not held was not mapped: there is no entry.
  if (held || bug::armed(Bug::kMigrateNullGrabUnpinned)) {
    remove_migration_ptes(m, page, moved ? fresh : page);
  }
  m.tracepoints->migration_ended(page.pfn);
  // Nobody will ever ask for the slot if all ptes have gone meanwhile.
  remove_exclusive_swap_page(m, moved ? fresh : page);
  mark::hit(moved ? Mark::kPageMigrated : Mark::kMigrationUndone);
  return moved ? Status::kOk : Status::kAgain;
}

Status move_locked_page(Machine& m, Page& page, Page& fresh) {
  if (!still(!is_unused(page))) return Status::kNoEntry;
  if (page.test(PageFlag::kWriteback)) return Status::kAgain;
  require(trylock_page(fresh), "nobody else knows of a new page");
  const Status status = move_used_page(m, page, fresh);
  unlock_page(m, fresh);
  return status;
}

}  // namespace

Status migrate_page(Machine& m, Page& page, bool active, Page& fresh) {
  lock_page(m, page);
  const Status status = move_locked_page(m, page, fresh);
  unlock_page(m, page);
  const bool moved = status == Status::kOk;
  putback_lru_page(m, moved ? fresh : page, active);
  put_page(m, moved ? page : fresh);
  return status;
}

void migration_entry_wait(Machine& m, Mm& mm, VirtAddr addr) {
  Page* page = nullptr;
  {
    const PtlGuard guard(m, mm, addr);
    const PteSlot slot = find_pte(m.frames, mm.context, addr);
    const Pte pte = slot ? slot.get() : Pte();
    if (!still(pte.is_migration())) return;
    page = &m.page(pte.pfn());
    invariant(Inv::kMigrationEntryLeft, page->test(PageFlag::kLocked));
    get_page(*page);
  }
  mark::hit(Mark::kMigrationEntryWait);
  wait_on_page_locked(m, *page);
  put_page(m, *page);
}

}  // namespace racier
