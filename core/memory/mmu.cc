// core/memory/mmu.cc - the direct map's user bytes.  Tested by mmu_test.cc.
#include "core/memory/mmu.h"

#include <atomic>
#include <cstring>

namespace racier {
namespace {

constexpr std::size_t kWords = kPageSize / sizeof(std::uint64_t);

std::uint64_t& word_at(const std::byte* at) {
  return *reinterpret_cast<std::uint64_t*>(const_cast<std::byte*>(at));
}

}  // namespace

std::uint64_t load_user_word(const std::byte* at) {
  return std::atomic_ref(word_at(at)).load(std::memory_order_relaxed);
}

void store_user_word(std::byte* at, std::uint64_t value) {
  std::atomic_ref(word_at(at)).store(value, std::memory_order_relaxed);
}

void copy_user_frame(std::byte* to, const std::byte* from) {
  for (std::size_t i = 0; i < kWords; ++i) {
    store_user_word(to + i * sizeof(std::uint64_t),
                    load_user_word(from + i * sizeof(std::uint64_t)));
  }
}

void clear_user_frame(std::byte* at) { std::memset(at, 0, kPageSize); }

}  // namespace racier
