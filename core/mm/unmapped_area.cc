// core/mm/unmapped_area.cc - finds room for a mapping.
// Tested by mmap_test.cc.
#include "core/mm/unmapped_area.h"

#include <algorithm>

#include "core/mm/expand_stack.h"

namespace racier {
namespace {

// Where mappings without an address go: as high as they can between these.
constexpr VirtAddr kMmapTop = 0x7fff'ffff'0000;
constexpr VirtAddr kMmapMin = 0x1'0000;

}  // namespace

VirtAddr get_unmapped_area(const Mm& mm, std::uint64_t size) {
  VirtAddr high = kMmapTop;
  for (const Vma* vma = mm.vmas.last(); vma != nullptr;
       vma = VmaTree::prev(const_cast<Vma&>(*vma))) {
    if (vma->vm_end <= high && high - vma->vm_end >= size) return high - size;
    high = std::min(high, vm_start_gap(*vma));
  }
  return high >= kMmapMin && high - kMmapMin >= size ? high - size : 0;
}

}  // namespace racier
