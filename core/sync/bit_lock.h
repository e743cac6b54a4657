// core/sync/bit_lock.h - a sleeping lock in one bit of a flag word, with a wait queue.
//
// The page lock: PG_locked, and a queue that many pages share.
#pragma once
#include <cstdint>
#include <source_location>

#include "core/sync/atomic.h"
#include "core/sync/lock_class.h"
#include "core/sync/wait_queue.h"

namespace racier {

// Sleeps until bit `bit` of `word` was free, and takes it.  Kernel: wait_on_bit_lock().
// Context: may sleep.
void bit_lock(Atomic<std::uint64_t>& word, int bit, WaitQueue& queue,
              const LockClass& lock_class,
              std::source_location where = std::source_location::current());
[[nodiscard]] bool bit_trylock(
    Atomic<std::uint64_t>& word, int bit, const LockClass& lock_class,
    std::source_location where = std::source_location::current());
void bit_unlock(Atomic<std::uint64_t>& word, int bit, WaitQueue& queue,
                const LockClass& lock_class,
                std::source_location where = std::source_location::current());

// Sleeps until bit `bit` of `word` is clear.  Kernel: wait_on_bit().
void bit_wait(Atomic<std::uint64_t>& word, int bit, WaitQueue& queue,
              std::source_location where = std::source_location::current());

}  // namespace racier
