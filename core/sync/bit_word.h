// core/sync/bit_word.h - a bit that is a lock, in a word that others load and change.
//
// For the files of this room only.
#pragma once
#include <cstdint>

#include "core/sync/atomic.h"
#include "core/sync/task.h"

namespace racier::sync {

// Sets the bits; returns whether they were clear.  Behind the step `access` of `self`,
// with kOrder.
template <std::memory_order kOrder>
bool set_bits(Task* self, Atomic<std::uint64_t>& word, std::uint64_t bits,
              const Step& access) {
  if (self != nullptr && self->weak != nullptr) [[unlikely]] {
    // To find them set changes nothing: two who wait must not wake each other.
    if ((word.peek(kOrder) & bits) != 0) return false;
    self->weak->before_rmw(*self, access);
  }
  return (word.raw().fetch_or(bits, kOrder) & bits) == 0;
}

// Clears the bits; likewise.
template <std::memory_order kOrder>
void clear_bits(Task* self, Atomic<std::uint64_t>& word, std::uint64_t bits,
                const Step& access) {
  if (self != nullptr && self->weak != nullptr) [[unlikely]]
    self->weak->before_rmw(*self, access);
  word.raw().fetch_and(~bits, kOrder);
}

}  // namespace racier::sync
