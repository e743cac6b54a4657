// core/mm/unmapped_area.h - where there is room.  For mm/ only.
#pragma once
#include "core/objects/mm.h"

namespace racier {

// Returns the start of the highest gap of `size` bytes, or 0; it ends with some
// distance to a stack above.  Context: mmap_sem held. Kernel:
// arch_get_unmapped_area_topdown(), without its cache.
VirtAddr get_unmapped_area(const Mm& mm, std::uint64_t size);

}  // namespace racier
