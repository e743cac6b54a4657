// core/mm/reclaim.h - takes pages away from those who need them least.
//
// Kernel: mm/vmscan.c and mm/rmap.c, v2.6.9.
#pragma once
#include "core/objects/machine.h"
#include "core/rmap/scheme.h"

namespace racier {

class TlbUbc;

enum class Unmap : std::uint8_t { kSuccess, kAgain, kFail };

// Whom try_to_unmap() spares, and what it leaves in the ptes.  Kernel: TTU_*.
enum class Ttu : std::uint8_t {
  kUnmap,  // not who used the page lately; an anonymous page leaves swap entries
  kForce,  // everybody; likewise
  // Everybody; migration entries, but swap entries where the page is in the swap cache.
  kMigration,
};

// Returns how many ptes used `page` since the last time it was asked, and clears the
// marks.
// Context: a reference to the page is held; a page of a file is locked.
int page_referenced(Machine& m, Page& page);

// Gives `page`, an anonymous page that is in no cache, a swap slot: add_to_swap(), for
// one that is about to be unmapped.
[[nodiscard]] bool give_slot(Machine& m, Page& page);

// Takes `page` away from everybody who maps it.  kSuccess: nobody maps it now; kAgain:
// some pte was missed or came back; kFail: it is in use.
// Context: page lock held, a reference held; an anonymous page is in the swap cache, or
// leaves migration entries.
// With `ubc` the TLBs may be flushed later: by that.
Unmap try_to_unmap(Machine& m, Page& page, Ttu ttu = Ttu::kUnmap,
                   TlbUbc* ubc = nullptr);

// Lets reclaim drop `page`, an anonymous page that one pte maps, as long as nobody
// stores to it.  Context: the page_table_lock of that pte is held; it and the page are
// clean.
void mark_page_lazyfree(Machine& m, Page& page);

// Tries to free `page`; takes over the caller's reference.  Returns whether it is free.
// Context: may sleep.  Kernel: reclaim_pages().
bool reclaim_page(Machine& m, Page& page);

// Frees up to `pages` pages of the LRU, the least used first; returns how many it
// freed.
// Context: may sleep.  Kernel: shrink_zone(), in the manner of try_to_free_pages().
int shrink_lru(Machine& m, int pages);

}  // namespace racier
