// core/sync/bit_spin_lock.h - a spinlock in one bit of a flag word.
#pragma once
#include <cstdint>
#include <source_location>

#include "core/sync/atomic.h"
#include "core/sync/lock_class.h"

namespace racier {

// Takes bit `bit` of `word` as a spinlock; the other bits may change meanwhile.
// Kernel: bit_spin_lock().
void bit_spin_lock(Atomic<std::uint64_t>& word, int bit, const LockClass& lock_class,
                   std::source_location where = std::source_location::current());
[[nodiscard]] bool bit_spin_trylock(
    Atomic<std::uint64_t>& word, int bit, const LockClass& lock_class,
    std::source_location where = std::source_location::current());
void bit_spin_unlock(Atomic<std::uint64_t>& word, int bit, const LockClass& lock_class,
                     std::source_location where = std::source_location::current());

}  // namespace racier
