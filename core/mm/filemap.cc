// core/mm/filemap.cc - the page cache: of files, and of shared anonymous memory.
// Tested by filemap_test.cc and corpus/programs/file_*.racier.
#include "core/mm/filemap.h"

#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/page_alloc.h"
#include "core/mm/swap.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

// Fills `page` with what is on disk there.
void read_page(Machine& m, AddressSpace& mapping, std::uint64_t index, Page& page) {
  {
    std::byte* const data = m.frames.data(page.pfn);
    const WeakFill fill(data, kPageSize);
    if (mapping.shmem) {
      clear_user_frame(data);
    } else {
      mapping.read_store(index, data);
    }
  }
  page.set_uptodate();
}

// Puts the new, locked page in its slot, unless there is something in it already.
bool add_to_page_cache(AddressSpace& mapping, std::uint64_t index, Page& page) {
  const SpinGuard guard(mapping.tree_lock);
  CacheSlot& slot = mapping.slots[index];
  if (!still(slot.page == nullptr && !slot.swap)) return false;
  get_page(page);
  slot.page = &page;
  ++mapping.nrpages;
  page.index.store(index, std::memory_order_relaxed);
  page.mapping.store(reinterpret_cast<std::uintptr_t>(&mapping));
  return true;
}

// Brings the page of a shmem slot back from swap: out of the swap cache, into the slot.
// Returns kAgain if the slot has changed meanwhile.  Kernel: shmem_getpage().
Result<Page*> shmem_swap_in(Machine& m, AddressSpace& mapping, std::uint64_t index,
                            SwapEntry entry) {
  swapin_readahead(m, entry);
  Page* const page = read_swap_cache(m, entry);
  if (page == nullptr) {
    const SpinGuard guard(mapping.tree_lock);
    return mapping.slots[index].swap == entry ? Status::kNoMemory : Status::kAgain;
  }
  lock_page(m, *page);
  const bool ours = still(is_cached_as(*page, entry));
  const bool readable = page->test(PageFlag::kUptodate);
  if (!ours || !readable || !move_from_swap_cache(m, *page, mapping, index, entry)) {
    unlock_page(m, *page);
    put_page(m, *page);
    return ours && !readable ? Status::kBusError : Status::kAgain;
  }
  mark::hit(Mark::kSwapIn);
  unlock_page(m, *page);
  return page;
}

Result<Page*> read_new_page(Machine& m, AddressSpace& mapping, std::uint64_t index) {
  Page* const page = alloc_page(m, Gfp::kKernel);
  if (page == nullptr) return Status::kNoMemory;
  lock_page(m, *page);
  if (mapping.shmem) page->set(PageFlag::kSwapBacked);
  if (!add_to_page_cache(mapping, index, *page)) {
    unlock_page(m, *page);
    put_page(m, *page);
    return Status::kAgain;
  }
  lru_cache_add(m, *page);
  read_page(m, mapping, index, *page);
  unlock_page(m, *page);
  return page;
}

// Looks at a slot: returns its page with a reference, or its swap entry in `swap`.
Page* look_up(AddressSpace& mapping, std::uint64_t index, SwapEntry& swap) {
  const SpinGuard guard(mapping.tree_lock);
  const CacheSlot& slot = mapping.slots[index];
  swap = slot.swap;
  if (slot.page != nullptr) get_page(*slot.page);
  return slot.page;
}

// Takes `page` out of `mapping` unless it has left it, or somebody maps it.  Returns
// false in the latter case.
bool drop_page(Machine& m, AddressSpace& mapping, Page& page) {
  lock_page(m, page);
  const bool mapped = !still(!page.is_mapped());
  const bool ours =
      still(page.mapping.load() == reinterpret_cast<std::uintptr_t>(&mapping));
  if (ours && !mapped) remove_from_page_cache(m, page);
  unlock_page(m, page);
  put_page(m, page);
  return !mapped;
}

// Empties a slot, whatever is in it, and whatever comes into it meanwhile: reclaim may
// turn its page into a swap entry.
void drop_slot(Machine& m, AddressSpace& mapping, std::uint64_t index) {
  for (;;) {
    SwapEntry swap;
    Page* const page = look_up(mapping, index, swap);
    if (page != nullptr) {
      if (!drop_page(m, mapping, *page)) return;
      continue;
    }
    if (!swap) return;
    {
      const SpinGuard guard(mapping.tree_lock);
      mapping.slots[index].swap = SwapEntry{};
      --mapping.nrswapped;
    }
    free_swap_and_cache(m, swap);
  }
}

}  // namespace

Page* find_get_page(AddressSpace& mapping, std::uint64_t index) {
  SwapEntry swap;
  return index < mapping.size ? look_up(mapping, index, swap) : nullptr;
}

void take_from_page_cache(AddressSpace& mapping, Page& page) {
  CacheSlot& slot = mapping.slots[page.index.load(std::memory_order_relaxed)];
  invariant(Inv::kPageCacheHoldsPage, slot.page == &page);
  slot.page = nullptr;
  --mapping.nrpages;
  page.mapping.store(0);
}

Result<Page*> filemap_nopage(Machine& m, AddressSpace& mapping, std::uint64_t index) {
  if (index >= mapping.i_size.load()) return Status::kBusError;
  return read_cache_page(m, mapping, index);
}

Result<Page*> filemap_fault(Machine& m, AddressSpace& mapping, std::uint64_t index) {
  for (;;) {
    const Result<Page*> found = filemap_nopage(m, mapping, index);
    if (!found) return found;
    Page& page = **found;
    lock_page(m, page);
    // Truncation sets the size, and then takes each page out under its lock.
    const bool inside = still(index < mapping.i_size.load());
    const bool ours =
        still(page.mapping.load() == reinterpret_cast<std::uintptr_t>(&mapping));
    if (inside && ours) return found;
    mark::hit(Mark::kFaultFoundTruncated);
    unlock_page(m, page);
    put_page(m, page);
    if (!inside) return Status::kBusError;
  }
}

Result<Page*> read_cache_page(Machine& m, AddressSpace& mapping, std::uint64_t index) {
  for (;;) {
    SwapEntry swap;
    Page* const page = look_up(mapping, index, swap);
    if (page == nullptr) {
      const Result<Page*> fresh = swap ? shmem_swap_in(m, mapping, index, swap)
                                       : read_new_page(m, mapping, index);
      if (fresh.status() == Status::kAgain) continue;
      return fresh;
    }
    if (page->test(PageFlag::kUptodate)) {
      mark_page_accessed(m, *page);
      return page;
    }
    // Somebody is reading it in: wait for the lock, and look again.
    lock_page(m, *page);
    unlock_page(m, *page);
    put_page(m, *page);
  }
}

void remove_from_page_cache(Machine& m, Page& page) {
  auto& mapping = *reinterpret_cast<AddressSpace*>(page.mapping.load());
  {
    const SpinGuard guard(mapping.tree_lock);
    take_from_page_cache(mapping, page);
  }
  put_page(m, page);
}

bool remove_clean_file_page(Machine& m, Page& page) {
  auto& mapping = *reinterpret_cast<AddressSpace*>(page.mapping.load());
  {
    const SpinGuard guard(mapping.tree_lock);
    if (!still(page.count.read() == 2)) return false;
    if (!still(!page.test(PageFlag::kDirty))) return false;
    take_from_page_cache(mapping, page);
  }
  put_page(m, page);
  return true;
}

void truncate_inode_pages(Machine& m, AddressSpace& mapping) {
  for (std::uint64_t index = 0; index < mapping.size; ++index) {
    drop_slot(m, mapping, index);
  }
}

void fput(Machine& m, AddressSpace& mapping) {
  if (!mapping.count.dec_and_test()) return;
  truncate_inode_pages(m, mapping);
  m.destroy_shmem(mapping);
}

}  // namespace racier
