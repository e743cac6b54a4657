// core/mm/mmlist.h - which mms may have pages in swap.  For mm/ only.
//
// A mm with a swap pte is on the list: it joins it behind the reference to the slot and
// before the pte can be seen, and leaves when its ptes are gone, or when no swap is in
// use at all.
//
// Kernel: v2.6.9, Hugh Dickins, "lighten mmlist_lock".
#pragma once
#include "core/objects/machine.h"

namespace racier {

// Makes `mm`, which is about to get a swap pte, a member.  Context: the lock of the pte
// held; the slot is in use, by a reference for that pte.
void mmlist_join(Machine& m, Mm& mm);
// Likewise for `child`, which gets a copy of a swap pte of `parent`: behind it, so that
// swapoff comes to the parent first.
void mmlist_join_behind(Machine& m, Mm& child, Mm& parent);
// Makes it no member.  Context: its last user is gone.
void mmlist_leave(Machine& m, Mm& mm);
// Makes nobody a member, if no swap is in use.
// Context: swap_list_lock not held.  Kernel: drain_mmlist().
void drain_mmlist(Machine& m);

// Returns the member behind `at`, with a user reference, or nullptr; who has no user
// any more is passed over, and `dying` set.  `at` is the head, or a member with users.
[[nodiscard]] Mm* mmlist_next(Machine& m, MmListNode& at, bool& dying);

}  // namespace racier
