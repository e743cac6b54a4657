// core/check/address_space_audit.cc - vmas stand in order, and every pte lies in one.
// Tested by auditor_test.cc.
#include "core/check/checks.h"

namespace racier::check {
namespace {

std::string about(const Mm& mm, const Vma& vma) {
  return "mm " + std::to_string(mm.id) + " pages [" +
         std::to_string(vma.vm_start >> kPageShift) + ", " +
         std::to_string(vma.vm_end >> kPageShift) + ")";
}

bool is_well_formed(const Mm& mm, const Vma& vma, VirtAddr end_of_last) {
  return vma.vm_mm == &mm && vma.vm_start % kPageSize == 0 &&
         vma.vm_end % kPageSize == 0 && vma.vm_start < vma.vm_end &&
         vma.vm_end <= kUserEnd && end_of_last <= vma.vm_start;
}

// V1 of one mm.  The tree must find each vma where the order says that it is; a tree
// that has a cycle has more vmas than were ever allocated.
void check_vmas_of(const Mm& mm, std::uint32_t vmas_max) {
  VirtAddr end = 0;
  int count = 0;
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    if (!is_well_formed(mm, *vma, end) || mm.vmas.find(vma->vm_start) != vma ||
        static_cast<std::uint32_t>(++count) > vmas_max) {
      broken(Inv::kVmasInOrder, about(mm, *vma));
    }
    end = vma->vm_end;
  }
  if (count != mm.map_count) {
    broken(Inv::kMapCountIsItsVmas,
           differs("mm " + std::to_string(mm.id) + " map_count", mm.map_count, count));
  }
}

}  // namespace

void check_vmas(const Audit& audit) NO_THREAD_SAFETY_ANALYSIS {
  const std::uint32_t vmas_max = audit.m.vma_cache.live_objects();
  std::uint32_t vmas = 0;
  std::uint32_t mms = 0;
  for (const Mm& mm : audit.m.mms) {
    check_vmas_of(mm, vmas_max);
    vmas += static_cast<std::uint32_t>(mm.map_count);
    ++mms;
  }
  if (audit.m.mm_cache.live_objects() != mms) {
    broken(Inv::kNoMmLeft, differs("mms", audit.m.mm_cache.live_objects(), mms));
  }
  if (vmas_max != vmas) broken(Inv::kNoVmaLeft, differs("vmas", vmas_max, vmas));
}

void check_ptes_inside_vmas(const Audit& audit) {
  for (const FoundPte& found : audit.found.ptes()) {
    if (found.vma == nullptr) broken(Inv::kPteInsideVma, describe(found));
  }
}

}  // namespace racier::check
