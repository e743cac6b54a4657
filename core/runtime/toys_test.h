// core/runtime/toys_test.h - small things to be raced for, made of bare Atomics.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>

#include "core/base/finding.h"
#include "core/sync/atomic.h"

namespace racier::toys {

inline std::string signature(const std::optional<Finding>& finding) {
  return finding ? finding->signature() : "clean";
}

inline void sleep(std::source_location where = std::source_location::current()) {
  current()->runtime->park(*current(), where);
}

// Notes of several tasks, in the order in which they were taken: neither a step nor a
// race.
class Notes {
 public:
  void add(std::string_view text) {
    for (const char letter : text) {
      text_[size_.fetch_add(1, std::memory_order_relaxed)].store(
          letter, std::memory_order_relaxed);
    }
  }
  std::string str() const {
    std::string text;
    for (std::size_t i = 0; i < size_; ++i) text += text_[i];
    return text;
  }
  void clear() { size_ = 0; }

 private:
  std::array<std::atomic<char>, 256> text_{};
  std::atomic<std::size_t> size_{0};
};

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
  using Where = std::source_location;
  explicit ToyGuard(ToyLock& taken, Where place = Where::current())
      : lock(taken), where(place) {
    lock.lock(where);
  }
  ~ToyGuard() noexcept(false) { lock.unlock(where); }
  ToyLock& lock;
  Where where;
};

// A lock that sleeps: its waiters are parked, its releaser wakes one.  The waiters'
// list is guarded by a spinlock, as in the kernel.
struct ToyMutex {
  using Where = std::source_location;

  ToyLock guard;
  Task* owner = nullptr;
  Task* sleepers[kTasksMax] = {};
  int sleeping = 0;

  void lock(Where where = Where::current()) {
    Task& self = *current();
    for (;;) {
      {
        const ToyGuard held(guard, where);
        if (owner == nullptr) {
          owner = &self;
          return;
        }
        sleepers[sleeping++] = &self;
      }
      self.runtime->park(self, where);
    }
  }
  void unlock(Where where = Where::current()) {
    const ToyGuard held(guard, where);
    owner = nullptr;
    while (sleeping > 0) {
      Task& woken = *sleepers[--sleeping];
      woken.runtime->unpark(woken);
    }
  }
};

struct ToyMutexGuard {
  using Where = std::source_location;
  explicit ToyMutexGuard(ToyMutex& taken, Where place = Where::current())
      : mutex(taken), where(place) {
    mutex.lock(where);
  }
  ~ToyMutexGuard() noexcept(false) { mutex.unlock(where); }
  ToyMutex& mutex;
  Where where;
};

}  // namespace racier::toys
