// core/mm/swap.cc - the swap cache: pages that have a slot.
// Tested by swap_test.cc and corpus/programs/swap_*.racier.
#include "core/mm/swap.h"

#include <algorithm>

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/page_alloc.h"
#include "core/mm/swap_locks.h"
#include "core/rmap/scheme.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

// Puts `page`, locked and with the caller's reference, in the swap cache as `entry`,
// whose reference becomes the cache's.  Returns false if somebody else did.
bool insert_in_swap_cache(Machine& m, Page& page, SwapEntry entry) {
  AddressSpace& swapper = m.swapper;
  const SpinGuard guard(swapper.tree_lock);
  CacheSlot& slot = swapper.slots[m.swap.index_of(entry)];
  if (!still(slot.page == nullptr)) return false;
  get_page(page);
  slot.page = &page;
  ++swapper.nrpages;
  page.private_data.store(entry.val);
  page.set(PageFlag::kSwapCache);
  return true;
}

// Takes it out again; returns the entry, whose reference is the caller's now.
SwapEntry take_from_swap_cache(Machine& m, Page& page) REQUIRES(m.swapper.tree_lock) {
  const SwapEntry entry = page.swap_entry();
  CacheSlot& slot = m.swapper.slots[m.swap.index_of(entry)];
  invariant(Inv::kSwapCacheHoldsPage, entry && slot.page == &page);
  slot.page = nullptr;
  --m.swapper.nrpages;
  page.private_data.store(0);
  page.clear(PageFlag::kSwapCache);
  return entry;
}

// Returns a new page for `entry`, locked, in the swap cache and on the LRU but not read
// yet.
// Errors: those of swap_duplicate(); kNoMemory; kExists (somebody was faster).
Result<Page*> add_new_page(Machine& m, SwapEntry entry) {
  Page* const page = alloc_page(m, Gfp::kKernel);
  if (page == nullptr) return Status::kNoMemory;
  const Status duplicated = swap_duplicate(m, entry);
  if (duplicated != Status::kOk) {
    put_page(m, *page);
    return duplicated;
  }
  lock_page(m, *page);
  if (insert_in_swap_cache(m, *page, entry)) {
    lru_cache_add_active(m, *page);
    swap_changed(m, entry);  // until now swapoff could not know whose reference it is
    return page;
  }
  unlock_page(m, *page);
  swap_free(m, entry);
  put_page(m, *page);
  return Status::kExists;
}

// Turns the slot of a shmem page, which is in the swap cache too, into `entry`.
// Returns false if somebody else uses the page.
bool replace_by_entry(Page& page, SwapEntry entry) {
  auto& mapping = *reinterpret_cast<AddressSpace*>(page.mapping.load());
  const SpinGuard guard(mapping.tree_lock);
  CacheSlot& slot = mapping.slots[page.index.load(std::memory_order_relaxed)];
  invariant(Inv::kPageCacheHoldsPage, slot.page == &page);
  // The two caches' references and the caller's.  Whoever else found the page here is
  // about to map it; whoever comes later finds the entry.
  if (!still(page.count.read() == 3)) return false;
  slot.page = nullptr;
  slot.swap = entry;
  ++mapping.nrswapped;
  --mapping.nrpages;
  page.mapping.store(0);
  return true;
}

}  // namespace

bool add_to_swap(Machine& m, Page& page) {
  for (;;) {
    const SwapEntry entry = get_swap_page(m);
    if (!entry) return false;
    if (insert_in_swap_cache(m, page, entry)) {
      swap_changed(m, entry);  // until now swapoff could not find the page
      break;
    }
    // A swap-in that still has the entry of whoever had the slot before was faster: it
    // will find that it is late.  Kernel: -EEXIST, "speculative" reads.
    swap_free(m, entry);
  }
  page.set_uptodate();
  page.set(PageFlag::kDirty);
  return true;
}

void delete_from_swap_cache(Machine& m, Page& page) {
  SwapEntry entry;
  {
    const SpinGuard guard(m.swapper.tree_lock);
    entry = take_from_swap_cache(m, page);
  }
  swap_free(m, entry);
  put_page(m, page);
}

Page* lookup_swap_cache(Machine& m, SwapEntry entry) {
  const SpinGuard guard(m.swapper.tree_lock);
  Page* const page = m.swapper.slots[m.swap.index_of(entry)].page;
  if (page != nullptr) get_page(*page);
  return page;
}

Page* read_swap_cache(Machine& m, SwapEntry entry) {
  for (;;) {
    if (Page* const cached = lookup_swap_cache(m, entry)) return cached;
    // Not worth a page if nobody needs it any more.
    if (swap_count_unlocked(m, entry) == 0) return nullptr;
    const Result<Page*> added = add_new_page(m, entry);
    if (added.status() == Status::kExists) continue;
    if (!added) return nullptr;
    Page& page = **added;
    const SwapArea& area = *m.swap.find(entry);
    std::byte* const frame = m.frames.data(page.pfn);
    const auto reads = [&] {
      const WeakFill fill(frame, kPageSize);
      return area.file.read(entry.offset(), frame);
    };
    if (reads()) {
      page.set_uptodate();
    } else {
      mark::hit(Mark::kSwapReadFailed);
    }
    unlock_page(m, page);
    return &page;
  }
}

void swapin_readahead(Machine& m, SwapEntry entry) {
  const std::uint32_t cluster = 1u << m.options().page_cluster;
  if (cluster == 1) return;
  const std::uint32_t first = entry.offset() & ~(cluster - 1);
  const std::uint32_t end = std::min(first + cluster, m.swap.slots);
  for (std::uint32_t offset = std::max(first, 1u); offset < end; ++offset) {
    const SwapEntry ahead = SwapEntry::of(entry.type(), offset);
    const std::uint16_t count = swap_count(m, ahead);
    if (ahead == entry || count == 0 || count == kSwapMapBad) continue;
    Page* const page = read_swap_cache(m, ahead);
    if (page == nullptr) continue;
    mark::hit(Mark::kSwapReadahead);
    put_page(m, *page);
  }
}

bool is_cached_as(const Page& page, SwapEntry entry) {
  return page.test(PageFlag::kSwapCache) && page.swap_entry() == entry;
}

bool move_to_swap_cache(Machine& m, Page& page) {
  // In the swap cache first: whoever finds the entry in the mapping must find the page
  // there, for the slot's content is not written yet.
  if (!add_to_swap(m, page)) return false;
  const SwapEntry entry = page.swap_entry();
  // The mapping's reference to the slot, before anybody can find the entry there and
  // drop it.
  invariant(Inv::kSwapSlotInUse, swap_duplicate(m, entry) == Status::kOk);
  if (replace_by_entry(page, entry)) {
    put_page(m, page);
    return true;
  }
  swap_free(m, entry);
  delete_from_swap_cache(m, page);
  return false;
}

bool move_from_swap_cache(Machine& m, Page& page, AddressSpace& mapping,
                          std::uint64_t index, SwapEntry entry) {
  {
    const SpinGuard guard(mapping.tree_lock);
    CacheSlot& slot = mapping.slots[index];
    if (!still(slot.swap == entry)) return false;
    get_page(page);
    slot.swap = SwapEntry{};
    --mapping.nrswapped;
    slot.page = &page;
    page.set(PageFlag::kSwapBacked);
    ++mapping.nrpages;
    page.index.store(index, std::memory_order_relaxed);
    page.mapping.store(reinterpret_cast<std::uintptr_t>(&mapping));
  }
  delete_from_swap_cache(m, page);
  swap_free(m, entry);
  page.set(PageFlag::kDirty);
  return true;
}

bool can_share_swap_page(Machine& m, Page& page) {
  std::int32_t uses = page.mapcount.load() + 1;
  if (uses <= 1 && page.test(PageFlag::kSwapCache)) {
    uses += swap_count(m, page.swap_entry()) - 1;  // the cache's own is no use
  }
  return uses == 1;
}

bool reuse_swap_page(Machine& m, Page& page) {
  if (!can_share_swap_page(m, page)) return false;
  if (page.test(PageFlag::kSwapCache)) {
    delete_from_swap_cache(m, page);
    page.set(PageFlag::kDirty);
  }
  return true;
}

bool remove_exclusive_swap_page(Machine& m, Page& page) {
  if (!page.test(PageFlag::kSwapCache)) return false;
  SwapEntry entry = page.swap_entry();
  SwapArea& area = *m.swap.find(entry);
  {
    const SwapDeviceGuard device(m.swap, area);
    if (!still(area.count(entry.offset()) == 1)) return false;
    const SpinGuard tree(m.swapper.tree_lock);
    // The cache's reference and the caller's, and the reverse map's: whoever else has
    // one may be about to map it.
    const int own = m.scheme().own_refs(page);
    const int known = 2 + own + page.mapcount.load() + 1;
    if (!still(page.count.read() == known)) return false;
    entry = take_from_swap_cache(m, page);
    page.set(PageFlag::kDirty);
  }
  swap_free(m, entry);
  put_page(m, page);
  return true;
}

bool remove_clean_swap_page(Machine& m, Page& page) {
  SwapEntry entry;
  {
    const SpinGuard guard(m.swapper.tree_lock);
    if (!still(page.count.read() == 2)) return false;
    if (!still(!page.test(PageFlag::kDirty))) return false;
    entry = take_from_swap_cache(m, page);
  }
  swap_free(m, entry);
  put_page(m, page);
  return true;
}

void free_swap_and_cache(Machine& m, SwapEntry entry) {
  SwapArea* const area = m.swap.find(entry);
  invariant(Inv::kSwapSlotInUse, area != nullptr);
  Page* page = nullptr;
  {
    const SwapInfoGuard guard(m.swap, *area);
    const bool valid = (area->flags.peek() & SwapArea::kValid) != 0;
    invariant(Inv::kSwapSlotInUse, valid);
    // Only the cache's reference is left: the cached page is of no use to anybody.
    if (swap_entry_free(m, *area, entry) == 1) page = lookup_swap_cache(m, entry);
  }
  if (page == nullptr) return;
  if (trylock_page(*page)) {
    const bool cached = still(is_cached_as(*page, entry));
    if (cached && !page->is_mapped()) {
      remove_exclusive_swap_page(m, *page);
    }
    unlock_page(m, *page);
  }
  put_page(m, *page);
}

void drop_unused_swap_cache(Machine& m) {
  const std::uint32_t slots = m.swap.count() * m.swap.slots;
  for (std::uint32_t index = 1; index < slots; ++index) {
    Page* const page = lookup_swap_cache(m, m.swap.entry_at(index));
    if (page == nullptr) continue;
    lock_page(m, *page);
    if (!page->is_mapped()) remove_exclusive_swap_page(m, *page);
    unlock_page(m, *page);
    put_page(m, *page);
  }
}

void forget_stuck_counts(Machine& m) {
  for (std::uint32_t index = 1; index < m.swapper.size; ++index) {
    const SwapEntry entry = m.swap.entry_at(index);
    if (!swap_count_is_stuck(m, swap_count(m, entry))) continue;
    Page* const page = lookup_swap_cache(m, entry);
    SwapArea& area = *m.swap.find(entry);
    {
      const SwapInfoGuard guard(m.swap, area);
      area.set_count(entry.offset(), 1);
      if (page == nullptr) swap_entry_free(m, area, entry);
    }
    if (page != nullptr) put_page(m, *page);
  }
}

bool swap_writepage(Machine& m, Page& page) {
  // The page is unmapped and locked, so nobody writes to it while it is copied.
  // PG_dirty is cleared first, so that whoever dirties it from now on is seen.
  page.clear(PageFlag::kDirty);
  page.set(PageFlag::kWriteback);
  const SwapEntry entry = page.swap_entry();
  SwapArea& area = *m.swap.find(entry);
  const bool written = area.file.write(entry.offset(), m.frames.data(page.pfn));
  if (!written) {
    page.set(PageFlag::kDirty);
    mark::hit(Mark::kSwapWriteFailed);
  }
  page.clear(PageFlag::kWriteback);
  return written;
}

}  // namespace racier
