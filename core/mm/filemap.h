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

// Likewise without asking for the end: for who makes the file longer.
[[nodiscard]] Result<Page*> read_cache_page(Machine& m, AddressSpace& mapping,
                                            std::uint64_t index);

// As filemap_nopage(), but returns the page locked: as long as it is, it is the file's,
// and within its end.  Kernel: filemap_fault(), VM_FAULT_LOCKED, v2.6.23.
[[nodiscard]] Result<Page*> filemap_fault(Machine& m, AddressSpace& mapping,
                                          std::uint64_t index);

// Takes the page out of its mapping; the cache's reference is the caller's then.
// Kernel: __remove_from_page_cache().
void take_from_page_cache(AddressSpace& mapping, Page& page)
    REQUIRES(mapping.tree_lock);
// Takes the locked page out of its mapping and drops the cache's reference.  The caller
// holds one of its own.  Context: page lock held; not mapped.
void remove_from_page_cache(Machine& m, Page& page);

// Likewise, if the page is clean and only the cache and the caller refer to it; returns
// whether it did.
bool remove_clean_file_page(Machine& m, Page& page);

// Drops a reference to a file; the last one to a shmem file frees its pages and slots.
void fput(Machine& m, AddressSpace& mapping);
// Drops every page of `mapping` that nobody maps, clean or not, as it is going away.
void truncate_inode_pages(Machine& m, AddressSpace& mapping);

}  // namespace racier
