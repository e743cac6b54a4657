// core/check/caches.cc - caches hold what their pages say; what is clean equals its
// backing store.  M1, D2.
// Tested by auditor_test.cc.
#include <cstring>

#include "core/check/checks.h"

namespace racier::check {
namespace {

// Returns whether nothing has been stored to the page since it was read.
bool is_clean(const Audit& audit, const Page& page) {
  return !page.peek(PageFlag::kDirty) && page.peek(PageFlag::kUptodate) &&
         !audit.found.use(page.pfn).dirty_pte;
}

void check_held(const Audit& audit, const Page& page, Inv inv) {
  if (audit.m.frames.is_free(page.pfn)) {
    broken(inv, "a free frame is cached: " + describe(audit.m, page.pfn));
  }
  ++audit.found.use(page.pfn).caches;
}

// ---- Swap cache ---------------------------------------------------------------------

void check_swap_page(const Audit& audit, const Page& page, std::uint32_t slot) {
  Machine& m = audit.m;
  const SwapEntry entry = m.swap.entry_at(slot);
  check_held(audit, page, Inv::kSwapCacheHoldsPage);
  if (!page.peek(PageFlag::kSwapCache) ||
      page.private_data.raw().load(std::memory_order_relaxed) != entry.val) {
    broken(Inv::kSwapCacheHoldsPage,
           "slot " + std::to_string(slot) + ": " + describe(m, page.pfn));
  }
  audit.found.count_swap_use(slot);
  // What only the cache still has is of no use to anybody, and may have lost its mark:
  // the last process that copied it on a write dropped a dirty pte.
  const bool used =
      audit.found.use(page.pfn).ptes > 0 || audit.found.swap_uses(slot) > 1;
  if (!used || !is_clean(audit, page)) return;
  // What cannot be read is equal to nothing.
  if (!m.swap.find(entry)->file.read(entry.offset(), audit.slot_page)) return;
  if (std::memcmp(audit.slot_page, m.frames.data(page.pfn), kPageSize) != 0) {
    broken(Inv::kCleanPageIsItsStore,
           "swap slot " + std::to_string(slot) + ": " + describe(m, page.pfn));
  }
}

void check_swap_cache(const Audit& audit) NO_THREAD_SAFETY_ANALYSIS {
  AddressSpace& swapper = audit.m.swapper;
  std::uint64_t pages = 0;
  for (std::uint32_t slot = 0; slot < swapper.size; ++slot) {
    const Page* const page = swapper.slots[slot].page;
    if (page == nullptr) continue;
    ++pages;
    check_swap_page(audit, *page, slot);
  }
  if (pages != swapper.nrpages) {
    broken(Inv::kSwapCacheHoldsPage, differs("nrpages of the swap cache",
                                             static_cast<std::int64_t>(swapper.nrpages),
                                             static_cast<std::int64_t>(pages)));
  }
}

// ---- Page cache ---------------------------------------------------------------------

std::string about(const AddressSpace& file, std::uint64_t index) {
  return "file " + std::to_string(file.id) + " page " + std::to_string(index);
}

// Whatever its ptes say: the first store to a clean page is noticed.
void check_file_content(const Audit& audit, const AddressSpace& file,
                        std::uint64_t index, const Page& page) {
  if (page.peek(PageFlag::kDirty) || !page.peek(PageFlag::kUptodate)) return;
  if (audit.found.use(page.pfn).writable_pte) {
    broken(Inv::kWritablePageIsDirty,
           about(file, index) + ": " + describe(audit.m, page.pfn));
  }
  file.read_store(index, audit.slot_page);
  if (std::memcmp(audit.slot_page, audit.m.frames.data(page.pfn), kPageSize) != 0) {
    broken(Inv::kCleanPageIsItsStore,
           about(file, index) + ": " + describe(audit.m, page.pfn));
  }
}

void check_file_page(const Audit& audit, const AddressSpace& file, std::uint64_t index,
                     const Page& page) {
  check_held(audit, page, Inv::kPageCacheHoldsPage);
  const bool says_so = page.mapping.raw().load(std::memory_order_relaxed) ==
                           reinterpret_cast<std::uintptr_t>(&file) &&
                       page.index.raw().load(std::memory_order_relaxed) == index &&
                       page.peek(PageFlag::kSwapBacked) == file.shmem;
  if (!says_so) {
    broken(Inv::kPageCacheHoldsPage,
           about(file, index) + ": " + describe(audit.m, page.pfn));
  }
  if (!file.shmem) check_file_content(audit, file, index, page);
}

void check_shmem_swap(const Audit& audit, const AddressSpace& file, std::uint64_t index,
                      SwapEntry entry) NO_THREAD_SAFETY_ANALYSIS {
  if (!file.shmem || audit.m.swap.find(entry) == nullptr) {
    broken(Inv::kSwapMapIsItsUsers, about(file, index) + " in swap area " +
                                        std::to_string(entry.type()) + " slot " +
                                        std::to_string(entry.offset()));
  }
  audit.found.count_swap_use(audit.m.swap.index_of(entry));
}

void check_file(const Audit& audit, AddressSpace& file) NO_THREAD_SAFETY_ANALYSIS {
  // Shared memory may be large, and not touched at all.
  if (file.nrpages == 0 && file.nrswapped == 0) return;
  std::uint64_t pages = 0;
  std::uint64_t swapped = 0;
  for (std::uint64_t index = 0; index < file.size; ++index) {
    const CacheSlot& slot = file.slots[index];
    if (slot.swap) {
      ++swapped;
      check_shmem_swap(audit, file, index, slot.swap);
    }
    if (slot.page == nullptr) continue;
    ++pages;
    check_file_page(audit, file, index, *slot.page);
    if (slot.swap) {
      broken(Inv::kPageCacheHoldsPage,
             about(file, index) + " is in memory and in swap");
    }
  }
  if (pages != file.nrpages) {
    broken(Inv::kPageCacheHoldsPage,
           differs("nrpages of file " + std::to_string(file.id),
                   static_cast<std::int64_t>(file.nrpages),
                   static_cast<std::int64_t>(pages)));
  }
  if (swapped != file.nrswapped) {
    broken(Inv::kPageCacheHoldsPage,
           differs("nrswapped of file " + std::to_string(file.id),
                   static_cast<std::int64_t>(file.nrswapped),
                   static_cast<std::int64_t>(swapped)));
  }
}

}  // namespace

void check_caches(const Audit& audit) {
  audit.m.for_each_file([&audit](AddressSpace& file) { check_file(audit, file); });
  check_swap_cache(audit);  // last: it asks who else uses a slot
}

}  // namespace racier::check
