// core/program/ops_vma.h - ops that move mappings, and let them grow.
#pragma once
#include "core/program/places.h"

namespace racier::program::ops {

template <typename Place>
Outcome mremap(Run& run, NewMapping result, ProcessRef process, Place place,
               PageCount old_pages, PageCount new_pages, Moving moving);
// To a place that is named: MREMAP_FIXED.
template <typename Place>
Outcome mremap_over(Run& run, NewMapping result, ProcessRef process, Place from,
                    PageCount old_pages, PageCount new_pages, Place to);

// The mapping begins some pages below the stack, so that programs can name them.
Outcome mmap_growsdown(Run& run, NewMapping result, ProcessRef process, PageCount pages,
                       Protection protection);
Outcome exec(Run& run, NewMapping result, ProcessRef process, PageCount arg_pages,
             HeapPages shift);

}  // namespace racier::program::ops
