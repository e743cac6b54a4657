// core/mm/page_alloc.h - pages and references to them.
//
// Kernel: mm/page_alloc.c and mm/swap.c, v2.6.9.
#pragma once
#include <source_location>

#include "core/objects/machine.h"

namespace racier {

// May an allocation sleep, and so reclaim?
enum class Gfp : std::uint8_t { kKernel, kAtomic };

// Returns a page of undefined content with one reference, or nullptr.  kKernel reclaims
// when frames run out, unless the task is reclaiming already.
// Context: kKernel may sleep.
[[nodiscard]] Page* alloc_page(Machine& m, Gfp gfp);
// Likewise, filled with zeroes.
[[nodiscard]] Page* alloc_zeroed_page(Machine& m, Gfp gfp);

// Likewise the free page of the lowest number, if that is below `limit`; never sleeps.
[[nodiscard]] Page* alloc_page_below(Machine& m, Pfn limit);

// Takes one more reference; the caller has one, or holds what keeps one.
void get_page(Page& page, std::source_location where = std::source_location::current());
// Takes a reference unless the page is being freed.  Kernel: get_page_testone(), turned
// round.
[[nodiscard]] bool get_page_unless_zero(
    Page& page, std::source_location where = std::source_location::current());
// Drops a reference; the last one takes the page off the LRU and frees it.
// Context: any; lru_lock not held.
void put_page(Machine& m, Page& page,
              std::source_location where = std::source_location::current());

// Takes and releases the page lock (PG_locked).  Kernel: lock_page(),
// TestSetPageLocked().
// Context: lock_page may sleep; a reference to the page is held.
void lock_page(Machine& m, Page& page,
               std::source_location where = std::source_location::current());
[[nodiscard]] bool trylock_page(
    Page& page, std::source_location where = std::source_location::current());
void unlock_page(Machine& m, Page& page,
                 std::source_location where = std::source_location::current());

// Sleeps until nobody has `page` locked.  Kernel: wait_on_page_locked().
// Context: may sleep; a reference to the page is held.
void wait_on_page_locked(Machine& m, Page& page);

// Puts a new page on the active or the inactive list.  Kernel: lru_cache_add_active().
void lru_cache_add_active(Machine& m, Page& page);
void lru_cache_add(Machine& m, Page& page);
// Takes `page` off the LRU, with a reference: nobody else who looks for pages there
// finds it.  Says in `active` on which list it was.  Returns false if it is on none, or
// being freed.  Kernel: isolate_lru_page(), v2.6.16.
[[nodiscard]] bool isolate_lru_page(Machine& m, Page& page, bool& active);
// Puts an isolated page on a list, and drops that reference.
void putback_lru_page(Machine& m, Page& page, bool active);
// Notes that `page` was used; the second time makes it active.
void mark_page_accessed(Machine& m, Page& page);

}  // namespace racier
