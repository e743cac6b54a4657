// core/runtime/toys_test.h - small things to be raced for, made of bare Atomics.
#pragma once
#include <cstdint>
#include <source_location>

#include "core/sync/atomic.h"

namespace racier::toys {

// A spinlock whose memory orders a test may weaken.
struct ToyLock {
  using Where = std::source_location;

  Atomic<std::uint32_t> word{0};
  std::memory_order acquire = std::memory_order_acquire;
  std::memory_order release = std::memory_order_release;

  void lock(Where where = Where::current()) {
    for (;;) {
      std::uint32_t expected = 0;
      if (word.compare_exchange(expected, 1, acquire, where)) return;
      word.wait_until_written(where);
    }
  }
  // Lets go even if the step throws: a run that is over leaves no lock behind.
  void unlock(Where where = Where::current()) {
    struct LetGo {
      ToyLock& lock;
      ~LetGo() { lock.word.raw().store(0, lock.release); }
    } let_go{*this};
    step({&word, Access::kWrite, release, where, sizeof word});
  }
};

struct ToyGuard {
  explicit ToyGuard(ToyLock& taken) : lock(taken) { lock.lock(); }
  ~ToyGuard() noexcept(false) { lock.unlock(); }
  ToyLock& lock;
};

// A lock that sleeps: its waiters are parked, its releaser wakes one.  The waiters' list is
// guarded by a spinlock, as in the kernel.
struct ToyMutex {
  ToyLock guard;
  Task* owner = nullptr;
  Task* sleepers[kTasksMax] = {};
  int sleeping = 0;

  void lock(std::source_location where = std::source_location::current()) {
    Task& self = *current();
    for (;;) {
      {
        ToyGuard held(guard);
        if (owner == nullptr) {
          owner = &self;
          return;
        }
        sleepers[sleeping++] = &self;
      }
      self.runtime->park(self, where);
    }
  }
  void unlock() {
    ToyGuard held(guard);
    owner = nullptr;
    while (sleeping > 0) {
      Task& woken = *sleepers[--sleeping];
      woken.runtime->unpark(woken);
    }
  }
};

struct ToyMutexGuard {
  explicit ToyMutexGuard(ToyMutex& taken) : mutex(taken) { mutex.lock(); }
  ~ToyMutexGuard() noexcept(false) { mutex.unlock(); }
  ToyMutex& mutex;
};

}  // namespace racier::toys
