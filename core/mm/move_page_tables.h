// core/mm/move_page_tables.h - moves what ptes hold from one place to another.
// For mm/ only.
#pragma once
#include "core/objects/machine.h"

namespace racier {

// Some pages, and where they are to go in the same mm: from `from` in `src` to as many
// pages from `to` on in `dst`, which are empty.  Both may be one vma.
struct PageMove {
  Vma& src;
  VirtRange from;
  Vma& dst;
  VirtAddr to;
};

// Moves what the ptes hold, and returns how many bytes of the range are done: fewer
// than all if there was no memory for a page table.  What was moved can be moved back,
// which needs none. Context: may sleep.  Kernel: move_page_tables(), mm/mremap.c,
// v2.6.9.
std::uint64_t move_page_tables(Machine& m, const PageMove& move)
    REQUIRES(move.src.vm_mm->mmap_sem);

// Moves what the ptes hold, from low to high addresses; every table of `to` exists.  In
// adjust() of both vmas; with ptl=split the locks of the tables are taken here.  When
// it returns no CPU reaches a page through its old place.
// Kernel: move_ptes(), v4.20.
void move_ptes(Machine& m, const PageMove& move)
    REQUIRES(move.dst.vm_mm->page_table_lock);

}  // namespace racier
