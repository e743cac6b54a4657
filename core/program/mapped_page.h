// core/program/mapped_page.h - from a place in an address space to the page there.
#pragma once
#include "core/program/places.h"

namespace racier::program {

// Returns the page that is mapped at `place`, with a reference, or nullptr: none, or
// the zero page.  Kernel: follow_page() with FOLL_GET.
Page* mapped_page(Run& run, Mm& mm, PageInMapping place);

}  // namespace racier::program
