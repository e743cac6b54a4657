// core/sync/interlock.h - what hardware and allocators exclude each other with.
//
// Not a lock of the simulated kernel: no step, no class, not checked.  On fibers it is
// never contended, because no step happens while it is held, not even one in front of a
// plain access; on threads it spins.
#pragma once
#include <atomic>

#include "core/base/thread_annotations.h"
#include "core/sync/task.h"

namespace racier {

class CAPABILITY("interlock") Interlock {
 public:
  void lock() ACQUIRE() {
    while (word_.exchange(true, std::memory_order_acquire)) {
      while (word_.load(std::memory_order_relaxed)) __builtin_ia32_pause();
    }
  }
  void unlock() RELEASE() { word_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> word_{false};
};

class SCOPED_CAPABILITY InterlockGuard {
 public:
  explicit InterlockGuard(Interlock& lock) ACQUIRE(lock)
      : task_(current()), lock_(lock) {
    if (task_ != nullptr) {
      ++task_->plain_steps_off;
      task_->side_effects = true;
    }
    lock_.lock();
  }
  ~InterlockGuard() RELEASE() {
    lock_.unlock();
    if (task_ != nullptr) --task_->plain_steps_off;
  }
  InterlockGuard(const InterlockGuard&) = delete;
  InterlockGuard& operator=(const InterlockGuard&) = delete;

 private:
  Task* task_;
  Interlock& lock_;
};

}  // namespace racier
