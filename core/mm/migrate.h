// core/mm/migrate.h - moves a page to another frame, under everybody who uses it.
//
// Kernel: mm/migrate.c, v2.6.18, with what later kernels mended (2.6.35).  Where the
// reverse map finds only ptes, an anonymous page goes by the swap cache instead, as in
// 2.6.16, and who used it faults it in again.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Moves the content of `page` to `fresh`, and makes everybody who mapped or cached the
// one map or cache the other.  Takes over the caller's reference to each; `page` was
// isolated from the list that `active` says, `fresh` is new.  What is not free then is
// on that list.
// Errors: kNoEntry (nobody needs the page any more); kAgain (somebody has a reference
// to it: perhaps for long, if it is pinned); kNoMemory (it has to go by swap, and there
// is no slot).  The page stays where it was then.
// Context: may sleep.  Kernel: unmap_and_move().
Status migrate_page(Machine& m, Page& page, bool active, Page& fresh);

// Waits until the page is unlocked that the pte at `addr` names in a migration entry,
// if it still does.  Context: may sleep; mmap_sem held.
void migration_entry_wait(Machine& m, Mm& mm, VirtAddr addr);

}  // namespace racier
