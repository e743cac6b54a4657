// core/sync/spin_lock.h - mutual exclusion that never sleeps.
#pragma once
#include <cstdint>
#include <source_location>

#include "core/base/thread_annotations.h"
#include "core/sync/atomic.h"
#include "core/sync/lock_class.h"

namespace racier {

// Kernel: spinlock_t.  Holding one is atomic context.
class CAPABILITY("spinlock") SpinLock {
  using Where = std::source_location;

 public:
  explicit SpinLock(const LockClass& lock_class)
      : magic_(kMagic), class_(&lock_class) {}
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;
  // A lock that is still held is a finding, which does not throw here.
  ~SpinLock();

  // Waits until the lock is free and takes it.  `nest` > 0 says that the caller holds a
  // lock of this class on purpose (Kernel: spin_lock_nested()).
  void lock(int nest = 0, Where where = Where::current()) ACQUIRE();
  // Takes the lock if it is free.
  [[nodiscard]] bool try_lock(Where where = Where::current()) TRY_ACQUIRE(true);
  // Context: the caller holds the lock.
  void unlock(Where where = Where::current()) RELEASE();

  // Returns whether anybody holds it; no step.
  bool is_locked() const { return word_.raw().load(std::memory_order_relaxed) != 0; }
  const LockClass& lock_class() const { return *class_; }
  // A finding unless the current task holds it.  Kernel: lockdep_assert_held().
  void assert_held(Where where = Where::current()) const ASSERT_CAPABILITY(this);

 private:
  class LetGo;
  bool take();
  void wait_and_take(Task* self, Where where);
  void check_magic(Where where) const {
    if (magic_ != kMagic) [[unlikely]]
      bad_magic(where);
  }
  void bad_magic(Where where) const;

  static constexpr std::uint32_t kMagic = 0xdead4ead;  // the kernel's SPINLOCK_MAGIC
  Atomic<std::uint32_t> word_{0};
  std::uint32_t
      magic_;  // kMagic while it is a lock: a wild or destroyed one is a finding
  const LockClass* class_;
};

struct Adopt {};
inline constexpr Adopt kAdopt{};  // the guard takes over a lock that is held already

// Holds a SpinLock for a scope, or until unlock().
class SCOPED_CAPABILITY SpinGuard {
  using Where = std::source_location;

 public:
  explicit SpinGuard(SpinLock& lock, Where where = Where::current()) ACQUIRE(lock)
      : lock_(&lock), where_(where) {
    lock.lock(0, where);
  }
  SpinGuard(SpinLock& lock, int nest, Where where = Where::current()) ACQUIRE(lock)
      : lock_(&lock), where_(where) {
    lock.lock(nest, where);
  }
  SpinGuard(SpinLock& lock, Adopt, Where where = Where::current()) REQUIRES(lock)
      : lock_(&lock), where_(where) {}
  ~SpinGuard() noexcept(false) RELEASE() {
    if (lock_ != nullptr) lock_->unlock(where_);
  }
  void unlock(Where where = Where::current()) RELEASE() {
    SpinLock* const lock = lock_;
    lock_ = nullptr;
    lock->unlock(where);
  }
  SpinGuard(const SpinGuard&) = delete;
  SpinGuard& operator=(const SpinGuard&) = delete;

 private:
  SpinLock* lock_;  // null: let go of already
  Where where_;
};

}  // namespace racier
