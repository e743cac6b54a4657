// core/mm/mremap.h - changes the size and the place of what is mapped.
//
// Kernel: mm/mremap.c, v2.6.9.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

struct MremapRequest {
  VirtAddr addr = 0;
  std::uint64_t old_pages = 0;
  std::uint64_t new_pages = 0;
  bool may_move = false;    // MREMAP_MAYMOVE
  VirtAddr new_addr = 0;    // 0: anywhere; else where exactly (MREMAP_FIXED)
  bool dont_unmap = false;  // MREMAP_DONTUNMAP: the old place stays mapped, and empty
};

// Gives the `old_pages` pages at `addr`, which lie in one vma, another size, where they
// are or elsewhere, and returns where they are then.  What grows is new memory, or more
// of the file.  With `new_addr`, whatever was mapped there is unmapped first, and stays
// so if the rest fails.
// Errors: kInvalid (no pages, unaligned, behind the end of user space; a new address
// that may not be moved to, or overlaps; dont_unmap of what is not private anonymous
// memory, or with another size); kFault: not mapped, or not one vma; kNoMemory (no
// room, map count, no frame): all is where it was.  Context: may sleep.
Result<VirtAddr> do_mremap(Machine& m, Mm& mm, const MremapRequest& request);

}  // namespace racier
