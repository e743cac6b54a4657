// core/mm/swap_slots.h - slots of swap areas, and who refers to them.
//
// Kernel: mm/swapfile.c, v2.6.9.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Returns a free slot of the best area that has one, with one reference (the swap
// cache's to be), or none.  Areas of one priority take turns.
[[nodiscard]] SwapEntry get_swap_page(Machine& m);
// Takes one more reference to a slot.  A count that reaches the limit stays there, and
// so does the slot, until swapoff.
// Errors: kNoEntry (it is not in use, or not any more, or bad).
Status swap_duplicate(Machine& m, SwapEntry entry);
// Drops one; the last frees the slot.  Returns how many are left.
std::uint16_t swap_free(Machine& m, SwapEntry entry);
// Likewise for a caller who holds the locks of the area.
std::uint16_t swap_entry_free(Machine& m, SwapArea& area, SwapEntry entry)
    REQUIRES(m.swap.swap_list_lock, area.swap_device_lock);
// Returns how many references a slot has; 0: it is not in use, or its area is off.
std::uint16_t swap_count(Machine& m, SwapEntry entry);
// Likewise without a lock: a hint.  Keeps the map from going meanwhile.  Kernel:
// get_swap_device(), __swap_count(), v5.3.
std::uint16_t swap_count_unlocked(Machine& m, SwapEntry entry);
// Returns whether a count has reached the limit.
bool swap_count_is_stuck(const Machine& m, std::uint16_t count);

// What somebody who takes the area of `entry` (of any, all of them) out of use could
// not find before, he may find now.  Context: any.
void swap_changed(Machine& m, SwapEntry entry);
void swap_changed(Machine& m);

}  // namespace racier
