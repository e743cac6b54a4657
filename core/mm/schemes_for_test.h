// core/mm/schemes_for_test.h - stories that are told under every scheme.
#pragma once
#include "core/mm/mm_for_test.h"
#include "core/rmap/scheme.h"

namespace racier {

struct EachScheme : MmForTest, testing::WithParamInterface<const char*> {
  EachScheme() : MmForTest({.rmap = GetParam(), .frames = 128, .slab_pages = 32}) {}

  bool is(std::string_view scheme) const { return scheme == GetParam(); }

  // Returns where a walk of the page at `addr` finds it: "pages behind `base`", one
  // after the other.
  std::string found(Mm& mm, VirtAddr addr, VirtAddr base) {
    std::string text;
    m.scheme().walk(page_of(mm, addr), [&](const rmap::Mapping& at) {
      if (!pte(*at.vma->vm_mm, at.addr).maps(page_of(mm, addr).pfn)) {
        return rmap::Walk::kContinue;
      }
      text += std::to_string((at.addr - base) / kPageSize) + " ";
      return rmap::Walk::kContinue;
    });
    return text;
  }

  // Returns the names of all schemes.
  static std::vector<const char*> names() {
    std::vector<const char*> names;
    for (const rmap::SchemeRow& row : rmap::schemes()) names.push_back(row.name);
    return names;
  }
  static std::string name_of(const testing::TestParamInfo<const char*>& info) {
    return info.param;
  }
};

}  // namespace racier
