// core/mm/writeback.h - which pages of files are dirty, and how they become clean.
//
// A page of a file that is clean is mapped read-only everywhere, so that the first
// store to it faults and makes it dirty.  Kernel: mm/page-writeback.c and mm/rmap.c,
// v2.6.23; shared memory, whose backing store is swap, has none of it.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Returns whether a store to a clean page of `vma` must be noticed.
// Kernel: vma_wants_writenotify().
bool vma_wants_writenotify(const Vma& vma);

// Notes that a fault has made a pte of `page` writable.
// Context: may sleep; a reference is held, the page lock is not.
// Kernel: the end of do_wp_page() and __do_fault().
void dirty_shared_page(Machine& m, Page& page);

// Write-protects and cleans every pte of shared mappings that maps `page`, a page of a
// file; returns whether one was dirty or writable.  Context: page lock held.
bool page_mkclean(Machine& m, Page& page);

// Makes `page` clean, as its content is about to be written; returns whether it was
// dirty.  Context: page lock held.
bool clear_page_dirty_for_io(Machine& m, Page& page);

// Sleeps until nobody writes the page to its file.  Context: a reference is held.
void wait_on_page_writeback(Machine& m, Page& page);

// Writes `page`, locked and of a file, to its file if it is dirty.  The lock is held
// throughout.
void write_locked_page(Machine& m, Page& page);

// What to do about a page that is locked, or on its way to the disk already.
enum class WbSync : std::uint8_t { kNone, kAll };  // pass it by; wait for it

// Writes up to `nr_to_write` dirty pages of [first, end) to their file; returns how
// many.  Context: may sleep; a reference to the file is held.
// Kernel: write_cache_pages(), filemap_fdatawait().
std::uint64_t write_cache_pages(Machine& m, AddressSpace& mapping, std::uint64_t first,
                                std::uint64_t end, std::uint64_t nr_to_write,
                                WbSync sync);

// Writes the dirty pages of the files that `range` of `mm` maps shared.  What is not
// mapped is passed by.
// Errors: kInvalid; kNoMemory if a part is not mapped.  Context: may sleep.
// Kernel: msync(2), v2.6.19; without waiting it starts the writes, as up to 2.5.67.
Status do_msync(Machine& m, Mm& mm, VirtRange range, WbSync sync);

}  // namespace racier
