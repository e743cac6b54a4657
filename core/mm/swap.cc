// core/mm/swap.cc - swap slots, their counts, and the swap cache.
// Tested by swap_test.cc and corpus/programs/swap_*.racier.
#include "core/mm/swap.h"

#include <optional>

#include "core/base/invariant.h"
#include "core/mm/page_alloc.h"
#include "core/rmap/scheme.h"

namespace racier {
namespace {

// Holds what guards a slot's count against everybody: two locks, or the one.
// Kernel: swap_info_get(), swap_info_put().
class SCOPED_CAPABILITY SwapInfoGuard {
 public:
  explicit SwapInfoGuard(SwapArea& swap,
                         std::source_location where = std::source_location::current())
      ACQUIRE(swap.swap_device_lock) {
    if (swap.locking == SwapLocking::kDevice) list_.emplace(swap.swap_list_lock, where);
    device_.emplace(swap.swap_device_lock, where);
  }
  ~SwapInfoGuard() noexcept(false) RELEASE() {
    device_.reset();
    list_.reset();
  }
  SwapInfoGuard(const SwapInfoGuard&) = delete;
  SwapInfoGuard& operator=(const SwapInfoGuard&) = delete;

 private:
  std::optional<SpinGuard> list_;
  std::optional<SpinGuard> device_;
};

// Drops one reference; returns how many are left.
std::uint16_t swap_entry_free(SwapArea& swap, SwapEntry entry)
    REQUIRES(swap.swap_device_lock) {
  std::uint16_t& count = swap.swap_map[entry.slot];
  invariant(Inv::kSwapSlotInUse, entry && count > 0);
  if (--count == 0) {
    --swap.inuse_pages;
    if (entry.slot < swap.lowest_bit) swap.lowest_bit = entry.slot;
  }
  return count;
}

// Puts `page`, locked and with the caller's reference, in the swap cache as `entry`,
// whose reference becomes the cache's.  Returns false if somebody else did.
bool insert_in_swap_cache(Machine& m, Page& page, SwapEntry entry) {
  AddressSpace& swapper = m.swapper;
  const SpinGuard guard(swapper.tree_lock);
  CacheSlot& slot = swapper.slots[entry.slot];
  if (slot.page != nullptr) return false;
  get_page(page);
  slot.page = &page;
  ++swapper.nrpages;
  page.private_data.store(entry.slot);
  page.set(PageFlag::kSwapCache);
  return true;
}

// Takes it out again; returns the entry, whose reference is the caller's now.
SwapEntry take_from_swap_cache(AddressSpace& swapper, Page& page)
    REQUIRES(swapper.tree_lock) {
  const SwapEntry entry = page.swap_entry();
  CacheSlot& slot = swapper.slots[entry.slot];
  invariant(Inv::kSwapCacheHoldsPage, entry && slot.page == &page);
  slot.page = nullptr;
  --swapper.nrpages;
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
  if (page.count.read() != 3) return false;
  slot.page = nullptr;
  slot.swap = entry;
  --mapping.nrpages;
  page.mapping.store(0);
  return true;
}

}  // namespace

SwapEntry get_swap_page(Machine& m) {
  SwapArea& swap = m.swap;
  const SwapInfoGuard guard(swap);
  const auto slots = static_cast<std::uint32_t>(swap.swap_map.size());
  for (std::uint32_t slot = swap.lowest_bit; slot < slots; ++slot) {
    if (swap.swap_map[slot] != 0) continue;
    swap.swap_map[slot] = 1;
    swap.lowest_bit = slot + 1;
    ++swap.inuse_pages;
    return {slot};
  }
  return {};
}

Status swap_duplicate(Machine& m, SwapEntry entry) {
  SwapArea& swap = m.swap;
  const SpinGuard guard(swap.swap_device_lock);
  if (!entry || entry.slot >= swap.swap_map.size()) return Status::kNoEntry;
  std::uint16_t& count = swap.swap_map[entry.slot];
  if (count == 0) return Status::kNoEntry;
  if (count == SwapArea::kSwapMapMax) return Status::kNoMemory;
  ++count;
  return Status::kOk;
}

void swap_free(Machine& m, SwapEntry entry) {
  const SwapInfoGuard guard(m.swap);
  swap_entry_free(m.swap, entry);
}

bool add_to_swap(Machine& m, Page& page) {
  for (;;) {
    const SwapEntry entry = get_swap_page(m);
    if (!entry) return false;
    if (insert_in_swap_cache(m, page, entry)) break;
    // A swap-in that still has the entry of whoever had the slot before was faster: it
    // will find that it is late.  Kernel: -EEXIST, "speculative" reads.
    swap_free(m, entry);
  }
  page.set(PageFlag::kUptodate);
  page.set(PageFlag::kDirty);
  return true;
}

void delete_from_swap_cache(Machine& m, Page& page) {
  SwapEntry entry;
  {
    const SpinGuard guard(m.swapper.tree_lock);
    entry = take_from_swap_cache(m.swapper, page);
  }
  swap_free(m, entry);
  put_page(m, page);
}

Page* lookup_swap_cache(Machine& m, SwapEntry entry) {
  const SpinGuard guard(m.swapper.tree_lock);
  Page* const page = m.swapper.slots[entry.slot].page;
  if (page != nullptr) get_page(*page);
  return page;
}

Page* read_swap_cache(Machine& m, SwapEntry entry) {
  for (;;) {
    if (Page* const cached = lookup_swap_cache(m, entry)) return cached;
    const Result<Page*> added = add_new_page(m, entry);
    if (added.status() == Status::kExists) continue;
    if (!added) return nullptr;
    Page& page = **added;
    m.swap.store.read(entry.slot, m.frames.data(page.pfn));
    page.set(PageFlag::kUptodate);
    unlock_page(m, page);
    return &page;
  }
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
    if (!(slot.swap == entry)) return false;
    get_page(page);
    slot.swap = SwapEntry{};
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
    const SpinGuard guard(m.swap.swap_device_lock);
    uses += m.swap.swap_map[page.swap_entry().slot] - 1;  // the cache's own is no use
  }
  return uses == 1;
}

bool remove_exclusive_swap_page(Machine& m, Page& page) {
  if (!page.test(PageFlag::kSwapCache)) return false;
  SwapEntry entry;
  {
    const SpinGuard device(m.swap.swap_device_lock);
    if (m.swap.swap_map[page.swap_entry().slot] != 1) return false;
    const SpinGuard tree(m.swapper.tree_lock);
    // The cache's reference and the caller's, and the reverse map's: whoever else has
    // one may be about to map it.
    const int own = m.scheme().own_refs(page);
    if (page.count.read() != 2 + own + page.mapcount.load() + 1) return false;
    entry = take_from_swap_cache(m.swapper, page);
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
    if (page.count.read() != 2 || page.test(PageFlag::kDirty)) return false;
    entry = take_from_swap_cache(m.swapper, page);
  }
  swap_free(m, entry);
  put_page(m, page);
  return true;
}

void free_swap_and_cache(Machine& m, SwapEntry entry) {
  Page* page = nullptr;
  {
    const SwapInfoGuard guard(m.swap);
    // Only the cache's reference is left: the cached page is of no use to anybody.
    if (swap_entry_free(m.swap, entry) == 1) page = lookup_swap_cache(m, entry);
  }
  if (page == nullptr) return;
  if (trylock_page(*page)) {
    if (page->test(PageFlag::kSwapCache) && page->swap_entry() == entry &&
        !page->is_mapped()) {
      remove_exclusive_swap_page(m, *page);
    }
    unlock_page(m, *page);
  }
  put_page(m, *page);
}

void drop_unused_swap_cache(Machine& m) {
  const auto slots = m.swap.store.slots();
  for (std::uint32_t slot = 1; slot < slots; ++slot) {
    Page* const page = lookup_swap_cache(m, {slot});
    if (page == nullptr) continue;
    lock_page(m, *page);
    if (!page->is_mapped()) remove_exclusive_swap_page(m, *page);
    unlock_page(m, *page);
    put_page(m, *page);
  }
}

void swap_writepage(Machine& m, Page& page) {
  // The page is unmapped and locked, so nobody writes to it while it is copied.
  // PG_dirty is cleared first, so that whoever dirties it from now on is seen.
  page.clear(PageFlag::kDirty);
  page.set(PageFlag::kWriteback);
  m.swap.store.write(page.swap_entry().slot, m.frames.data(page.pfn));
  page.clear(PageFlag::kWriteback);
}

}  // namespace racier
