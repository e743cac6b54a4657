// core/memory/region.cc - marks memory as alive or dead.  Tested by region_test.cc.
#include "core/memory/region.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/sync/task.h"

// Null unless the program is linked with AddressSanitizer.
extern "C" __attribute__((weak)) void __asan_poison_memory_region(
    const volatile void* at, std::size_t size);
extern "C" __attribute__((weak)) void __asan_unpoison_memory_region(
    const volatile void* at, std::size_t size);

namespace racier {
namespace {

std::size_t whole_granules(std::size_t size) {
  return (size + LiveMap::kGranule - 1) / LiveMap::kGranule * LiveMap::kGranule;
}

using Pattern = std::array<std::uint8_t, kPageSize>;
constexpr Pattern kFreePage = [] {
  Pattern page{};
  page.fill(kPatternFree);
  return page;
}();

}  // namespace

Region::Region(std::uint32_t frames, std::uint32_t slab_pages)
    : frames_(frames),
      slab_pages_(slab_pages),
      memory_("racier", (std::uint64_t{frames} + slab_pages) * kPageSize,
              frames * kPageSize),
      live_(memory_.data(), memory_.size() + frames * kPageSize) {
  live_.set_alive(word_name(0, 0), frames * kPageSize);
  if (__asan_poison_memory_region != nullptr) {
    __asan_poison_memory_region(memory_.data(), memory_.size());
  }
}

Region::~Region() {
  // Whatever the host maps here next does not know of our poison.
  if (__asan_unpoison_memory_region != nullptr) {
    __asan_unpoison_memory_region(memory_.data(), memory_.size());
  }
}

void Region::set_alive(std::byte* at, std::size_t size) {
  note_side_effects();
  live_.set_alive(at, whole_granules(size));
  if (__asan_unpoison_memory_region != nullptr) __asan_unpoison_memory_region(at, size);
}

void Region::set_dead(std::byte* at, std::size_t size) {
  note_side_effects();
  live_.set_dead(at, whole_granules(size));
  if (__asan_poison_memory_region != nullptr) {
    __asan_poison_memory_region(at, whole_granules(size));
  }
}

std::size_t pattern_damage(const std::byte* at, std::size_t size) {
  if (std::memcmp(at, kFreePage.data(), size) == 0) return size;
  const auto* const end = at + size;
  return std::find_if(at, end,
                      [](std::byte b) { return b != std::byte{kPatternFree}; }) -
         at;
}

void fill_pattern(std::byte* at, std::size_t size, std::uint8_t pattern) {
  std::memset(at, pattern, size);
}

}  // namespace racier
