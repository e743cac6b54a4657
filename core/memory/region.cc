// core/memory/region.cc - marks memory as alive or dead.  Tested by region_test.cc.
#include "core/memory/region.h"

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

// Sanitizers are told nothing: the memory is free, or was until now.  That its last
// owner wrote the pattern is known to them, and that is what a late access meets.
[[clang::disable_sanitizer_instrumentation]] std::size_t pattern_damage(
    const std::byte* at, std::size_t size) {
  using Word = std::uint64_t;
  constexpr Word kWord = 0x0101010101010101 * kPatternFree;
  using Unaligned [[gnu::may_alias, gnu::aligned(1)]] = Word;
  constexpr std::size_t kBlock = 8;  // words that are looked at together
  std::size_t offset = 0;
  for (; offset + kBlock * sizeof(Word) <= size; offset += kBlock * sizeof(Word)) {
    const auto* const words = reinterpret_cast<const Unaligned*>(at + offset);
    Word damage = 0;
    for (std::size_t i = 0; i < kBlock; ++i) damage |= words[i] ^ kWord;
    if (damage != 0) break;
  }
  for (; offset < size; ++offset) {
    if (at[offset] != std::byte{kPatternFree}) return offset;
  }
  return size;
}

void fill_pattern(std::byte* at, std::size_t size, std::uint8_t pattern) {
  std::memset(at, pattern, size);
}

}  // namespace racier
