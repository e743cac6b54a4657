// core/mm/filemap.h - the page cache.
//
// Kernel: mm/filemap.c, mm/shmem.c, v2.6.9.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Returns the page at `index` with a reference taken, or nullptr.
[[nodiscard]] Page* find_get_page(AddressSpace& mapping, std::uint64_t index);

// Returns the page at `index`, uptodate, with a reference taken: from the cache, or
// read from the file (a shmem page: zeroes, or from swap).
// Returns kBusError behind the end, kNoMemory.  Context: may sleep; mmap_sem held.
[[nodiscard]] Result<Page*> filemap_nopage(Machine& m, AddressSpace& mapping,
                                           std::uint64_t index);

// Takes the locked page out of its mapping and drops the cache's reference.  The caller
// holds one of its own.  Context: page lock held; not mapped.
void remove_from_page_cache(Machine& m, Page& page);

// Likewise, if the page is clean and only the cache and the caller refer to it; returns
// whether it did.
bool remove_clean_file_page(Machine& m, Page& page);

// Drops a reference to a file; the last one to a shmem file frees its pages and slots.
void fput(Machine& m, AddressSpace& mapping);
// Drops every clean page of `mapping` that nobody maps, or all of them when it is going
// away.
void truncate_inode_pages(Machine& m, AddressSpace& mapping);

}  // namespace racier
