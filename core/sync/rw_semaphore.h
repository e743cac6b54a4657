// core/sync/rw_semaphore.h - many readers or one writer; sleeps.
#pragma once
#include <cstdint>
#include <source_location>

#include "core/base/list.h"
#include "core/base/thread_annotations.h"
#include "core/sync/atomic.h"
#include "core/sync/interlock.h"
#include "core/sync/lock_class.h"
#include "core/sync/spin_lock.h"
#include "core/sync/task.h"

namespace racier {

// Kernel: struct rw_semaphore.  First come, first served: a reader that comes after a
// waiting writer waits behind it, so a task that read-locks twice may deadlock (and the
// lock checker says so).  Whoever had it before the one who has it now touches it no
// more: the last to have it may free it.
class CAPABILITY("rw_semaphore") RwSemaphore {
  using Where = std::source_location;

 public:
  explicit RwSemaphore(const LockClass& lock_class) : class_(&lock_class) {}
  RwSemaphore(const RwSemaphore&) = delete;
  RwSemaphore& operator=(const RwSemaphore&) = delete;
  // A lock that is still held is a finding, which does not throw here.
  ~RwSemaphore();

  // Context: may sleep.
  void down_read(int nest = 0, Where where = Where::current()) ACQUIRE_SHARED();
  void down_write(int nest = 0, Where where = Where::current()) ACQUIRE();
  [[nodiscard]] bool down_read_trylock(Where where = Where::current())
      TRY_ACQUIRE_SHARED(true);
  [[nodiscard]] bool down_write_trylock(Where where = Where::current())
      TRY_ACQUIRE(true);
  // Context: any.
  void up_read(Where where = Where::current()) RELEASE_SHARED();
  void up_write(Where where = Where::current()) RELEASE();
  // Turns a write lock into a read lock and lets waiting readers in.
  void downgrade_write(Where where = Where::current()) RELEASE() ACQUIRE_SHARED();

  // Returns whether anybody holds it; no step.
  bool is_locked() const { return (count() & (kWriter | kReaders)) != 0; }
  // Returns whether anybody waits for it; no step.  Kernel: rwsem_is_contended().
  bool is_contended() const { return (count() & kWaiters) != 0; }
  const LockClass& lock_class() const { return *class_; }
  // A finding unless the current task holds it for writing, or at all.
  void assert_held(Where where = Where::current()) const ASSERT_CAPABILITY(this);
  void assert_held_shared(Where where = Where::current()) const
      __attribute__((assert_shared_capability(this)));

 private:
  struct Sleeper;
  class Stay;
  class LetGo;

  std::uint64_t count() const { return count_.raw().load(std::memory_order_relaxed); }
  void down(Hold hold, int nest, Where where);
  bool try_down(Hold hold, Where where);
  void up(Hold hold, Where where);
  bool take(Hold hold);
  void after_readers(Hold hold);
  void let_go(Hold hold);
  std::uint64_t leave_as_reader();
  void let_waiters_in();

  // kWriter is set: one writer holds it; kReaders is above 0: so many readers do; never
  // both. kWaiters is set while waiters_ has an entry; changed under wait_lock_ only.
  // While it is set, nobody takes the lock but by being let in.
  static constexpr std::uint64_t kWriter = 1;
  static constexpr std::uint64_t kWaiters = 2;
  static constexpr std::uint64_t kReader = 4;
  static constexpr std::uint64_t kReaders = ~std::uint64_t{3};

  Atomic<std::uint64_t> count_{0};
  const LockClass* class_;
  Interlock wait_lock_;
  ListNode waiters_ GUARDED_BY(wait_lock_);  // Sleepers, oldest first
};

// Holds an RwSemaphore for reading for a scope, or until unlock().
class SCOPED_CAPABILITY ReadGuard {
  using Where = std::source_location;

 public:
  explicit ReadGuard(RwSemaphore& lock, Where where = Where::current())
      ACQUIRE_SHARED(lock)
      : lock_(&lock), where_(where) {
    lock.down_read(0, where);
  }
  ReadGuard(RwSemaphore& lock, int nest, Where where = Where::current())
      ACQUIRE_SHARED(lock)
      : lock_(&lock), where_(where) {
    lock.down_read(nest, where);
  }
  ReadGuard(RwSemaphore& lock, Adopt, Where where = Where::current())
      REQUIRES_SHARED(lock)
      : lock_(&lock), where_(where) {}
  ~ReadGuard() noexcept(false) RELEASE() {
    if (lock_ != nullptr) lock_->up_read(where_);
  }
  void unlock(Where where = Where::current()) RELEASE() {
    RwSemaphore* const lock = lock_;
    lock_ = nullptr;
    lock->up_read(where);
  }
  ReadGuard(const ReadGuard&) = delete;
  ReadGuard& operator=(const ReadGuard&) = delete;

 private:
  RwSemaphore* lock_;  // null: let go of already
  Where where_;
};

// Holds an RwSemaphore for writing for a scope, or until unlock().
class SCOPED_CAPABILITY WriteGuard {
  using Where = std::source_location;

 public:
  explicit WriteGuard(RwSemaphore& lock, Where where = Where::current()) ACQUIRE(lock)
      : lock_(&lock), where_(where) {
    lock.down_write(0, where);
  }
  WriteGuard(RwSemaphore& lock, int nest, Where where = Where::current()) ACQUIRE(lock)
      : lock_(&lock), where_(where) {
    lock.down_write(nest, where);
  }
  WriteGuard(RwSemaphore& lock, Adopt, Where where = Where::current()) REQUIRES(lock)
      : lock_(&lock), where_(where) {}
  ~WriteGuard() noexcept(false) RELEASE() { let_go(where_); }
  void unlock(Where where = Where::current()) RELEASE() { let_go(where); }
  // Holds it for reading from now on.  (The analysis goes on believing in the writer.)
  void downgrade(Where where = Where::current()) NO_THREAD_SAFETY_ANALYSIS {
    reads_ = true;
    lock_->downgrade_write(where);
  }
  WriteGuard(const WriteGuard&) = delete;
  WriteGuard& operator=(const WriteGuard&) = delete;

 private:
  void let_go(Where where) NO_THREAD_SAFETY_ANALYSIS {
    RwSemaphore* const lock = lock_;
    lock_ = nullptr;
    if (lock == nullptr) return;
    if (reads_) {
      lock->up_read(where);
    } else {
      lock->up_write(where);
    }
  }

  RwSemaphore* lock_;  // null: let go of already
  bool reads_ = false;
  Where where_;
};

}  // namespace racier
