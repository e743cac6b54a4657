// core/mm/page_alloc.cc - hands out pages, counts references, keeps the LRU lists.
// Tested by page_alloc_test.cc.
#include "core/mm/page_alloc.h"

#include <memory>

#include "core/base/invariant.h"
#include "core/memory/accuse.h"
#include "core/memory/fault_injection.h"
#include "core/mm/reclaim.h"
#include "core/objects/reclaim_order.h"
#include "core/sync/bit_lock.h"
#include "core/sync/context.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

constexpr int kSwapClusterMax = 8;     // pages that reclaim is asked for at a time
constexpr int kReclaimRoundsMax = 12;  // Kernel: DEF_PRIORITY
constexpr int kLocked = static_cast<int>(PageFlag::kLocked);

// Marks the task as one that reclaims, so that it does not start to reclaim again.
// Kernel: PF_MEMALLOC.
class MemAlloc {
 public:
  explicit MemAlloc(Task& task) : task_(task) { task.memalloc = true; }
  ~MemAlloc() { task_.memalloc = false; }
  MemAlloc(const MemAlloc&) = delete;
  MemAlloc& operator=(const MemAlloc&) = delete;

 private:
  Task& task_;
};

// Nobody else can see the page yet: nothing is a step.  Kernel: prep_new_page().
void prep_new_page(Page& page) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  page.flags.raw().store(0, kRelaxed);
  page.mapcount.raw().store(-1, kRelaxed);
  page.mapping.raw().store(0, kRelaxed);
  page.index.raw().store(0, kRelaxed);
  page.private_data.raw().store(0, kRelaxed);
  page.cached_vma.raw().store(nullptr, kRelaxed);
  page.rmap = 0;
  std::construct_at(&page.rmap_node);
  page.count.set(1);
}

// Allocates a frame, reclaiming if there is none.  An allocation that is meant to fail
// fails whether there are frames or not.
Pfn alloc_frame_reclaiming(Machine& m) {
  if (should_fail()) return kNoPfn;
  Task* const self = current();
  Pfn pfn = m.frames.take();
  if (pfn != kNoPfn || self == nullptr || self->memalloc) return pfn;
  const MemAlloc memalloc(*self);
  const InReclaim in_reclaim;
  for (int round = 0; round < kReclaimRoundsMax && pfn == kNoPfn; ++round) {
    shrink_lru(m, kSwapClusterMax);
    pfn = m.frames.take();
  }
  return pfn;
}

// Returns in what use a page is that has no reference left, or nullptr.
const char* badness(const Page& page) {
  const std::uintptr_t mapping = page.mapping.raw().load(std::memory_order_relaxed);
  if (page.mapcount.raw().load(std::memory_order_relaxed) != -1) return "mapped";
  if (mapping != 0 && (mapping & kPageMappingAnon) == 0) return "in a page cache";
  if (page.peek(PageFlag::kLocked)) return "locked";
  if (page.peek(PageFlag::kSwapCache)) return "in the swap cache";
  if (page.peek(PageFlag::kWriteback)) return "being written";
  if (page.peek(PageFlag::kLru)) return "on an LRU list";
  return nullptr;
}

// A finding if the page is in use in a way that its count does not tell.
// Kernel: free_pages_check().
void free_pages_check(const Page& page, std::source_location where) {
  const char* const why = badness(page);
  if (why == nullptr) return;
  const inv::Row& row = inv::row(Inv::kBadPageState);
  accuse(row.kind, row.sentence, "pfn " + std::to_string(page.pfn) + " is " + why,
         where);
}

void add_to_list(Lru& lru, Page& page, bool active) REQUIRES(lru.lru_lock) {
  (active ? lru.active : lru.inactive).push_front(page);
  ++(active ? lru.nr_active : lru.nr_inactive);
}

void del_from_list(Lru& lru, Page& page, bool active) REQUIRES(lru.lru_lock) {
  (active ? lru.active : lru.inactive).erase(page);
  --(active ? lru.nr_active : lru.nr_inactive);
}

// Takes a page without references off its list.  Kernel: __page_cache_release().
void take_off_lru(Lru& lru, Page& page) {
  const SpinGuard guard(lru.lru_lock);
  if (page.clear(PageFlag::kLru)) {
    del_from_list(lru, page, page.clear(PageFlag::kActive));
  }
}

// Kernel: activate_page().
void activate_page(Lru& lru, Page& page) {
  const SpinGuard guard(lru.lru_lock);
  if (!page.test(PageFlag::kLru) || page.test(PageFlag::kActive)) return;
  del_from_list(lru, page, false);
  page.set(PageFlag::kActive);
  add_to_list(lru, page, true);
}

}  // namespace

Page* alloc_page(Machine& m, Gfp gfp) {
  if (gfp == Gfp::kKernel) {
    might_sleep();
    might_reclaim();
  }
  const Pfn pfn = gfp == Gfp::kKernel ? alloc_frame_reclaiming(m) : m.frames.alloc();
  if (pfn == kNoPfn) return nullptr;
  Page& page = m.page(pfn);
  prep_new_page(page);
  return &page;
}

Page* alloc_zeroed_page(Machine& m, Gfp gfp) {
  Page* const page = alloc_page(m, gfp);
  if (page == nullptr) return nullptr;
  std::byte* const frame = m.frames.data(page->pfn);
  const WeakFill fill(frame, kPageSize);
  clear_user_frame(frame);
  return page;
}

Page* alloc_page_below(Machine& m, Pfn limit) {
  const Pfn pfn = m.frames.alloc_below(limit);
  if (pfn == kNoPfn) return nullptr;
  Page& page = m.page(pfn);
  prep_new_page(page);
  return &page;
}

void get_page(Page& page, std::source_location where) { page.count.inc(where); }

bool get_page_unless_zero(Page& page, std::source_location where) {
  return page.count.inc_not_zero(where);
}

void put_page(Machine& m, Page& page, std::source_location where) {
  if (!page.count.dec_and_test(where)) return;
  // Whoever looks through the LRU lists takes a reference before it touches the flag.
  if (page.test(PageFlag::kLru)) take_off_lru(m.lru, page);
  free_pages_check(page, where);
  m.frames.free(page.pfn);
}

void lock_page(Machine& m, Page& page, std::source_location where) {
  bit_lock(page.flags, kLocked, m.page_wait(page), lock_class::kPageLock, where);
}

bool trylock_page(Page& page, std::source_location where) {
  return bit_trylock(page.flags, kLocked, lock_class::kPageLock, where);
}

void unlock_page(Machine& m, Page& page, std::source_location where) {
  bit_unlock(page.flags, kLocked, m.page_wait(page), lock_class::kPageLock, where);
}

void wait_on_page_locked(Machine& m, Page& page) {
  bit_wait(page.flags, static_cast<int>(PageFlag::kLocked), m.page_wait(page));
}

void lru_cache_add_active(Machine& m, Page& page) {
  const SpinGuard guard(m.lru.lru_lock);
  page.set(PageFlag::kLru);
  page.set(PageFlag::kActive);
  add_to_list(m.lru, page, true);
}

void lru_cache_add(Machine& m, Page& page) {
  const SpinGuard guard(m.lru.lru_lock);
  page.set(PageFlag::kLru);
  add_to_list(m.lru, page, false);
}

bool isolate_lru_page(Machine& m, Page& page, bool& active) {
  const SpinGuard guard(m.lru.lru_lock);
  if (!still(page.test(PageFlag::kLru)) || !get_page_unless_zero(page)) return false;
  page.clear(PageFlag::kLru);
  active = page.clear(PageFlag::kActive);
  del_from_list(m.lru, page, active);
  return true;
}

void putback_lru_page(Machine& m, Page& page, bool active) {
  if (active) {
    lru_cache_add_active(m, page);
  } else {
    lru_cache_add(m, page);
  }
  put_page(m, page);
}

void mark_page_accessed(Machine& m, Page& page) {
  if (!page.test(PageFlag::kReferenced)) {
    page.set(PageFlag::kReferenced);
  } else if (!page.test(PageFlag::kActive) && page.test(PageFlag::kLru)) {
    activate_page(m.lru, page);
    page.clear(PageFlag::kReferenced);
  }
}

}  // namespace racier
