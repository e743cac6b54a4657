// core/memory/region.h - all memory of one machine, and which of it is alive.
//
// One HostMemory, in two parts: the page frames (the direct map), then the pages that
// slab caches take.  Liveness is kept three times, for three kinds of reader: in the
// LiveMap, that every step looks at in every build; in AddressSanitizer's shadow, where
// there is one; and as a pattern in the bytes themselves, which FrameArena and
// SlabCache write.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/base/live_map.h"
#include "core/base/types.h"
#include "core/memory/host_memory.h"

namespace racier {

// What a byte that is free holds, and one that is handed out for the first time.
// Kernel: POISON_FREE and POISON_INUSE.
inline constexpr std::uint8_t kPatternFree = 0x6b;
inline constexpr std::uint8_t kPatternNew = 0x5a;

class Region {
 public:
  // A region of `frames` page frames and `slab_pages` pages for slabs; all of it dead.
  Region(std::uint32_t frames, std::uint32_t slab_pages);
  ~Region();

  std::byte* frame(Pfn pfn) const { return memory_.data() + pfn * kPageSize; }
  std::byte* slab_page(std::uint32_t index) const {
    return memory_.data() + (std::uint64_t{frames_} + index) * kPageSize;
  }
  std::uint32_t frames() const { return frames_; }
  std::uint32_t slab_pages() const { return slab_pages_; }
  const LiveMap& live() const { return live_; }
  int fd() const { return memory_.fd(); }  // the frames are its first pages

  // Returns an address that stands for the user word at `offset` of a frame, for a step
  // that is announced before it is known whether the frame will still be mapped when
  // the step is made.  It has a place in the LiveMap, where it never dies; nobody can
  // touch it.
  const std::byte* word_name(Pfn pfn, std::uint64_t offset) const {
    return memory_.data() + memory_.size() + pfn * kPageSize + offset;
  }

  // Makes [at, at + size) usable, or a finding to touch.  No step; the caller excludes
  // others. `at` is a multiple of LiveMap::kGranule; what is left of the last granule
  // shares its fate in the LiveMap, and is always poisoned for AddressSanitizer.
  void set_alive(std::byte* at, std::size_t size);
  void set_dead(std::byte* at, std::size_t size);

 private:
  std::uint32_t frames_;
  std::uint32_t slab_pages_;
  HostMemory memory_;
  LiveMap live_;
};

// Returns the offset of the first of `size` bytes that is not kPatternFree, or `size`.
std::size_t pattern_damage(const std::byte* at, std::size_t size);
void fill_pattern(std::byte* at, std::size_t size, std::uint8_t pattern);

}  // namespace racier
