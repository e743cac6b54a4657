// core/base/types.h - addresses and numbers of the simulated machine.
#pragma once
#include <compare>
#include <cstdint>

namespace racier {

inline constexpr std::uint64_t kPageShift = 12;
inline constexpr std::uint64_t kPageSize = 1ull << kPageShift;
inline constexpr std::uint64_t kPageMask = ~(kPageSize - 1);

// A user virtual address: 48 bits, of which user space has the lower half.
using VirtAddr = std::uint64_t;
inline constexpr VirtAddr kUserEnd = 1ull << 47;

// A page frame number: an index into the frame arena.
using Pfn = std::uint32_t;
inline constexpr Pfn kNoPfn = ~0u;

constexpr VirtAddr page_floor(VirtAddr addr) { return addr & kPageMask; }
constexpr VirtAddr page_ceil(VirtAddr addr) {
  return (addr + kPageSize - 1) & kPageMask;
}

// A range of user addresses [start, end), page aligned.
struct VirtRange {
  VirtAddr start = 0;
  VirtAddr end = 0;
  constexpr std::uint64_t pages() const { return (end - start) >> kPageShift; }
  constexpr bool contains(VirtAddr addr) const { return start <= addr && addr < end; }
  constexpr bool overlaps(VirtRange other) const {
    return start < other.end && other.start < end;
  }
  auto operator<=>(const VirtRange&) const = default;
};

}  // namespace racier
