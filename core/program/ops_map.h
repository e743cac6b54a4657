// core/program/ops_map.h - ops that change what is mapped where.
#pragma once
#include "core/program/places.h"

namespace racier::program::ops {

// Each is defined for the places that the table uses.
template <typename Place>
Outcome mmap(Run& run, NewMapping result, ProcessRef process, Place place,
             PageCount pages, Protection protection, Sharing sharing);
template <typename Place>
Outcome mmap_file(Run& run, NewMapping result, ProcessRef process, Place place,
                  PageCount pages, Protection protection, FileRef file,
                  PageNo file_page);
template <typename Place>
Outcome mmap_file_shared(Run& run, NewMapping result, ProcessRef process, Place place,
                         PageCount pages, Protection protection, FileRef file,
                         PageNo file_page);
template <typename Place>
Outcome munmap(Run& run, ProcessRef process, Place place, PageCount pages);
template <typename Place>
Outcome mprotect(Run& run, ProcessRef process, Place place, PageCount pages,
                 Protection protection);
template <typename End>
Outcome brk(Run& run, NewMapping result, ProcessRef process, End end);
// Refused (busy) while there is a heap.  Kernel: prctl(PR_SET_MM, PR_SET_MM_START_BRK).
Outcome heap_at(Run& run, ProcessRef process, PageAddr start);

}  // namespace racier::program::ops
