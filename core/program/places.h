// core/program/places.h - the ways in which a call names a place in an address space.
//
// Programs that people and fuzzers write name a page of a mapping; recordings of real
// programs name addresses.  An op that works on a place is a template over the way, so
// that both exist and neither is a copy.  Each way is made of Parts, the arguments of
// the call.
#pragma once
#include <optional>
#include <tuple>

#include "core/program/run.h"

namespace racier::program {

// Wherever there is room.
struct Anywhere {
  using Parts = std::tuple<>;
  std::optional<VirtAddr> address(const Run&, Mm&) const { return 0; }
};

struct PageInMapping {
  using Parts = std::tuple<MappingRef, PageNo>;
  MappingRef mapping;
  PageNo page;
  std::optional<VirtAddr> address(const Run& run, Mm&) const {
    const auto range = run.mapping(mapping);
    if (!range) return std::nullopt;
    return range->start + (page.value << kPageShift);
  }
};

struct PageAt {
  using Parts = std::tuple<PageAddr>;
  PageAddr addr;
  std::optional<VirtAddr> address(const Run&, Mm&) const { return addr.value; }
};

struct WordInMapping {
  using Parts = std::tuple<MappingRef, PageNo, WordNo>;
  MappingRef mapping;
  PageNo page;
  WordNo word;
  std::optional<VirtAddr> address(const Run& run, Mm& mm) const {
    const auto start = PageInMapping{mapping, page}.address(run, mm);
    if (!start) return std::nullopt;
    return *start + word.value * sizeof(std::uint64_t);
  }
};

struct WordAt {
  using Parts = std::tuple<WordAddr>;
  WordAddr addr;
  std::optional<VirtAddr> address(const Run&, Mm&) const { return addr.value; }
};

// Returns where the heap of `mm` starts.  Context: may sleep.
inline VirtAddr heap_start(Mm& mm) {
  const ReadGuard guard(mm.mmap_sem);
  return mm.start_brk;
}

// The end of a heap of that size.
struct HeapEnd {
  using Parts = std::tuple<HeapPages>;
  HeapPages pages;
  std::optional<VirtAddr> address(const Run&, Mm& mm) const {
    return heap_start(mm) + (pages.value << kPageShift);
  }
};

}  // namespace racier::program
