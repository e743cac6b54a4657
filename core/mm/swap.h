// core/mm/swap.h - swap slots and the swap cache.
//
// Kernel: mm/swapfile.c and mm/swap_state.c, v2.6.9.
#pragma once
#include "core/objects/machine.h"

namespace racier {

// Returns a free slot with one reference (the swap cache's to be), or none.
[[nodiscard]] SwapEntry get_swap_page(Machine& m);
// Takes one more reference to a slot.
// Errors: kNoEntry (it is not in use, or not any more); kNoMemory (it can have no
// more).
// (In 2.6.9 a count at its limit stays there for ever, and so does the slot.)
Status swap_duplicate(Machine& m, SwapEntry entry);
// Drops one; the last frees the slot.
void swap_free(Machine& m, SwapEntry entry);

// Gives `page`, locked and in no cache, a slot and puts it in the swap cache, dirty.
// Returns false if there is no free slot.  Context: page lock held.
[[nodiscard]] bool add_to_swap(Machine& m, Page& page);
// Takes `page` out of the swap cache and drops the cache's references to page and slot.
// Context: page lock held.
void delete_from_swap_cache(Machine& m, Page& page);
// Returns the page of `entry` in the swap cache with a reference taken, or nullptr.
[[nodiscard]] Page* lookup_swap_cache(Machine& m, SwapEntry entry);
// Returns it likewise, reading it from the swap area if it is not there; nullptr: no
// memory, or the slot is not in use any more.
// Context: may sleep.  The caller looks at its pte again: it may have changed
// meanwhile.
[[nodiscard]] Page* read_swap_cache(Machine& m, SwapEntry entry);

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

// Writes the page to its slot: content first, then PG_dirty is clear.
// Context: page lock held; in the swap cache.  Kernel: swap_writepage().
void swap_writepage(Machine& m, Page& page);

}  // namespace racier
