// core/mm/madvise.h - what a process says of its memory, and what it must keep there.
//
// Kernel: mm/madvise.c and mm/mlock.c; the versions stand with each advice.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

enum class Advice : std::uint8_t {
  kDontneed,    // drop the pages (2.4)
  kFree,        // reclaim may drop the pages until they are written to (4.5)
  kPageout,     // reclaim the pages (5.4)
  kDontfork,    // children do not get the mapping (2.6.16)
  kDofork,      // they do
  kWipeonfork,  // children find zeroes there (4.14)
  kKeeponfork,  // they find what the parent has
};

// Follows `advice` for what is mapped of `range`; a hole is passed by.
// Errors: kInvalid (unaligned; locked memory must not go; only private anonymous memory
// can be freed or wiped): the parts before it are done.  kNoMemory: a hole, or a split
// needs memory.  Context: may sleep.
Status do_madvise(Machine& m, Mm& mm, VirtRange range, Advice advice);

// Brings all pages of `range` in, and keeps them from being reclaimed.
// Errors: kInvalid; kNoMemory (a part is not mapped, there is no memory, or a page
// cannot be brought in: the parts before it are locked, and so are the pages around
// that one). Context: may sleep.  Kernel: do_mlock(), v2.6.9.
Status do_mlock(Machine& m, Mm& mm, VirtRange range);
// Lets them be reclaimed again.  Errors: as do_mlock(), but for pages.
Status do_munlock(Machine& m, Mm& mm, VirtRange range);

}  // namespace racier
