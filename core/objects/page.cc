// core/objects/page.cc - a page by what is part of it.
// Tested by corpus/programs.
#include "core/objects/page.h"

#include <cstddef>

namespace racier {

// As those of a Vma (vma.cc), every compiler lays the members out as written.
#pragma clang diagnostic ignored "-Winvalid-offsetof"
Page& Page::of(RcuHead& head) {
  return *reinterpret_cast<Page*>(reinterpret_cast<char*>(&head) - offsetof(Page, rcu));
}

}  // namespace racier
