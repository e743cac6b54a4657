// core/sync/mutex.h - mutual exclusion that sleeps.
#pragma once
#include <source_location>

#include "core/base/thread_annotations.h"
#include "core/sync/lock_class.h"
#include "core/sync/rw_semaphore.h"

namespace racier {

// Kernel: struct mutex (and the binary semaphores of the period).  First come, first
// served.
class CAPABILITY("mutex") Mutex {
  using Where = std::source_location;

 public:
  explicit Mutex(const LockClass& lock_class) : lock_(lock_class) {}

  // Context: may sleep.
  void lock(int nest = 0, Where where = Where::current()) ACQUIRE() {
    lock_.down_write(nest, where);
  }
  [[nodiscard]] bool try_lock(Where where = Where::current()) TRY_ACQUIRE(true) {
    return lock_.down_write_trylock(where);
  }
  // Context: any.
  void unlock(Where where = Where::current()) RELEASE() { lock_.up_write(where); }
  // Returns whether anybody holds it; no step.
  bool is_locked() const { return lock_.is_locked(); }
  // A finding unless the current task holds it.
  void assert_held(Where where = Where::current()) const ASSERT_CAPABILITY(this) {
    lock_.assert_held(where);
  }

 private:
  RwSemaphore lock_;  // only ever held for writing
};

// Holds a Mutex for a scope, or until unlock().
class SCOPED_CAPABILITY MutexGuard {
  using Where = std::source_location;

 public:
  explicit MutexGuard(Mutex& lock, Where where = Where::current()) ACQUIRE(lock)
      : lock_(&lock), where_(where) {
    lock.lock(0, where);
  }
  MutexGuard(Mutex& lock, int nest, Where where = Where::current()) ACQUIRE(lock)
      : lock_(&lock), where_(where) {
    lock.lock(nest, where);
  }
  MutexGuard(Mutex& lock, Adopt, Where where = Where::current()) REQUIRES(lock)
      : lock_(&lock), where_(where) {}
  ~MutexGuard() noexcept(false) RELEASE() {
    if (lock_ != nullptr) lock_->unlock(where_);
  }
  void unlock(Where where = Where::current()) RELEASE() {
    Mutex* const lock = lock_;
    lock_ = nullptr;
    lock->unlock(where);
  }
  MutexGuard(const MutexGuard&) = delete;
  MutexGuard& operator=(const MutexGuard&) = delete;

 private:
  Mutex* lock_;  // null: let go of already
  Where where_;
};

}  // namespace racier
