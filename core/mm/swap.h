// core/mm/swap.h - the swap cache.
//
// Kernel: mm/swap_state.c and mm/page_io.c, v2.6.9.
#pragma once
#include "core/mm/swap_slots.h"
#include "core/objects/machine.h"

namespace racier {

// Gives `page`, locked and in no cache, a slot and puts it in the swap cache, dirty.
// Returns false if there is no free slot.  Context: page lock held.
[[nodiscard]] bool add_to_swap(Machine& m, Page& page);
// Takes `page` out of the swap cache and drops the cache's references to page and slot.
// Context: page lock held.
void delete_from_swap_cache(Machine& m, Page& page);
// Returns the page of `entry` in the swap cache with a reference taken, or nullptr.
[[nodiscard]] Page* lookup_swap_cache(Machine& m, SwapEntry entry);
// Returns it likewise, reading it from the swap area if it is not there; nullptr: no
// memory, or the slot is not in use any more.  If it could not be read, the page is not
// up to date.
// Context: may sleep.  The caller looks at its pte again: it may have changed
// meanwhile.
[[nodiscard]] Page* read_swap_cache(Machine& m, SwapEntry entry);

// Reads what stands around `entry` in its area, as far as it is in use: whoever needs
// that finds it in the swap cache.  As much as the machine's page_cluster says.
// Context: may sleep.  Kernel: swapin_readahead(), mm/memory.c.
void swapin_readahead(Machine& m, SwapEntry entry);
// Returns whether `page` is in the swap cache as `entry`.  Context: page lock held.
bool is_cached_as(const Page& page, SwapEntry entry);

// Moves `page`, a shmem page, from its mapping to the swap cache; its slot there
// becomes a swap entry.  Returns false if there is no free slot, or somebody else uses
// the page.
// Context: page lock held; not mapped.  Kernel: shmem_writepage(),
// move_to_swap_cache().
[[nodiscard]] bool move_to_swap_cache(Machine& m, Page& page);
// Moves it back to slot `index` of `mapping`, if that still holds `entry`.
// Context: page lock held; the page is in the swap cache as `entry`.
[[nodiscard]] bool move_from_swap_cache(Machine& m, Page& page, AddressSpace& mapping,
                                        std::uint64_t index, SwapEntry entry);

// Returns whether the caller's is the only use of `page`, mapped once or only in the
// swap cache: it may be written in place.  Context: page lock held.  Kernel:
// can_share_swap_page().  Counts ptes and swap ptes, not references: a pin is not a use
// (2.6.13).
[[nodiscard]] bool can_share_swap_page(Machine& m, Page& page);
// Likewise for who is about to store to it; then it leaves the swap cache, too, whoever
// has found it there.  Context: page lock held.  Kernel: reuse_swap_page(), v2.6.29.
[[nodiscard]] bool reuse_swap_page(Machine& m, Page& page);
// Takes `page` out of the swap cache if nobody else uses it or its slot.  Returns
// whether it did.  Context: page lock held.  Kernel: remove_exclusive_swap_page().
bool remove_exclusive_swap_page(Machine& m, Page& page);
// Takes the page out of the swap cache, dropping the cache's references, if it is clean
// and only the cache and the caller refer to it.  Returns whether it did.
// Context: page lock held; not mapped.
bool remove_clean_swap_page(Machine& m, Page& page);
// Drops a pte's reference to a slot; drops the cached page, too, if that was all of it.
void free_swap_and_cache(Machine& m, SwapEntry entry);

// Drops every cached page whose slot nobody else refers to: reclaim would, in time.
// Context: may sleep.
void drop_unused_swap_cache(Machine& m);

// Gives each slot whose count is stuck the count that the swap cache makes it.
// Context: nobody else can refer to any slot.
void forget_stuck_counts(Machine& m);

// Writes the page to its slot: content first, then PG_dirty is clear.  Returns false if
// it could not be written, and stays dirty.
// Context: page lock held; in the swap cache.  Kernel: swap_writepage().
[[nodiscard]] bool swap_writepage(Machine& m, Page& page);

}  // namespace racier
