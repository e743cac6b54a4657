// core/sync/lock_checker.h - finds lock bugs before they bite.
//
// Keeps, for one run, the order in which lock classes were taken inside each other, and
// reports the first acquisition that closes a cycle: no deadlock is needed.  Also
// reports recursion, release of a lock that is not held, locks held at a task's end,
// and waiting for a sleeping lock in atomic context.  The order starts from the
// documented one, if any.
//
// Kernel: lockdep, without its irq states.  Departs: every lock that is held is an
// outer one, not only the innermost, so the cycle of a report is the shortest and its
// title stable.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <source_location>
#include <span>
#include <string>

#include "core/sync/lock_class.h"
#include "core/sync/task.h"

namespace racier {

// "`outer` may be held when `inner` is taken": an edge of a documented lock order.
struct LockOrder {
  const LockClass* outer;
  const LockClass* inner;
};

// The order graph of one run.  RunState has a pointer to it (RunState::lock_checker);
// without one, the list of held locks is kept and nothing is checked.  The tasks of a
// run share it.
class LockChecker {
  using Where = std::source_location;
  using ClassSet = std::uint64_t;  // a bit for each class
  static_assert(kLockClassesMax == 64, "a ClassSet is one word");

 public:
  explicit LockChecker(std::span<const LockOrder> documented = {}) {
    reset(documented);
  }

  // Forgets everything but the documented edges.
  void reset();
  // Forgets everything; `documented`, and what follows from it, are the new documented
  // edges, which may not contradict each other.
  void reset(std::span<const LockOrder> documented);

  // To be called by locks: before they wait (not by a try), after they got the lock,
  // and when they let go.  `self` may be null: then there is nothing to remember.
  static void before_lock(Task* self, const void* lock, const LockClass& lock_class,
                          Hold hold, int nest, Where where) {
    if (self == nullptr) return;
    self->wanted = {lock, &lock_class};
    if (self->held_count == 0) return;
    LockChecker* const checker = self->run->lock_checker;
    if (checker != nullptr) checker->check(*self, lock, lock_class, hold, nest, where);
  }
  static void after_lock(Task* self, const void* lock, const LockClass& lock_class,
                         Hold hold, bool spins, Where where) {
    if (self == nullptr) return;
    self->wanted = {};
    if (self->held_count == kHeldLocksMax) [[unlikely]]
      too_many(*self, where);
    self->held[static_cast<std::size_t>(self->held_count++)] = {lock, &lock_class, hold,
                                                                spins, where};
  }
  static void on_unlock(Task* self, const void* lock, const LockClass& lock_class,
                        Hold hold, Where where) {
    if (self == nullptr) return;
    if (self->held_count > 0) [[likely]] {
      const HeldLock& last = self->held[static_cast<std::size_t>(self->held_count - 1)];
      if (last.lock == lock && last.lock_class == &lock_class && last.hold == hold)
          [[likely]] {
        --self->held_count;
        return;
      }
    }
    forget(*self, lock, lock_class, hold, where);
  }
  // Returns whether the run does without the lock that `self` is about to take: then
  // it is said to be held.
  static bool is_left_out(Task* self, const void* lock, const LockClass& lock_class,
                          Hold hold, Where where) {
    if (self == nullptr || self->sites == nullptr) [[likely]]
      return false;
    return do_without(*self, lock, lock_class, hold, where);
  }
  // Returns whether the lock that `self` is about to let go of was left out: then it is
  // said to be held no more.
  static bool was_left_out(Task* self, const void* lock, const LockClass& lock_class,
                           Hold hold, Where where) {
    if (self == nullptr || self->sites == nullptr) [[likely]]
      return false;
    return did_without(*self, lock, lock_class, hold, where);
  }
  // Returns whether a lock that was left out is said to be held.
  static bool does_without(const Task* self, const void* lock);
  // A write lock becomes a read lock.
  static void on_downgrade(Task* self, const void* lock, const LockClass& lock_class,
                           Where where);

  // To be called by runtimes when a task's body has returned: a lock still held is a
  // finding.
  static void at_task_end(const Task& self);

  // Returns whether the current task holds `lock`, in any way.
  static bool holds(const void* lock);
  // A finding unless the current task holds `lock` (exclusively, if `hold` says so).
  // Outside of tasks everything is held.  Kernel: lockdep_assert_held().
  static void assert_held(const void* lock, const LockClass& lock_class, Hold hold,
                          Where where);
  // Returns what `self` holds, for the detail of a report: ", holds A (file:line), B
  // ...".
  static std::string held_locks(const Task& self);

 private:
  struct Site {  // where the two locks of an edge were taken, the first time
    std::atomic<Where> outer;
    std::atomic<Where> inner;
  };
  struct Cycle {
    // Each is the outer one of the next, the last of the first.
    std::array<std::uint8_t, kLockClassesMax> classes;
    int length = 0;
  };

  void check(const Task& self, const void* lock, const LockClass& lock_class, Hold hold,
             int nest, Where where);
  void add_edge(const HeldLock& outer, const LockClass& inner, Where where);
  Cycle find_cycle(std::uint8_t outer, std::uint8_t inner) const;
  std::string title_of(const Cycle& cycle) const;
  std::string detail_of(const Cycle& cycle) const;
  const char* name_of(std::uint8_t id) const;
  Site& site(std::uint8_t outer, std::uint8_t inner) {
    return sites_[outer * std::size_t{kLockClassesMax} + inner];
  }
  const Site& site(std::uint8_t outer, std::uint8_t inner) const {
    return sites_[outer * std::size_t{kLockClassesMax} + inner];
  }
  static bool do_without(Task& self, const void* lock, const LockClass& lock_class,
                         Hold hold, Where where);
  static bool did_without(Task& self, const void* lock, const LockClass& lock_class,
                          Hold hold, Where where);
  static void forget(Task& self, const void* lock, const LockClass& lock_class,
                     Hold hold, Where where);
  [[noreturn]] static void too_many(const Task& self, Where where);

  // outers_[inner]: the classes inside of which `inner` may be taken.
  std::array<std::atomic<ClassSet>, kLockClassesMax> outers_{};
  std::array<ClassSet, kLockClassesMax> documented_{};
  std::array<std::atomic<const LockClass*>, kLockClassesMax> classes_{};
  // Of an edge that was seen in this run and is not a documented one; else stale.
  std::array<Site, std::size_t{kLockClassesMax} * kLockClassesMax> sites_{};
};

// A lock that is none: a place that counts as taking `lock_class`, so that what may be
// taken around it and inside of it is checked ("in reclaim").  No step, no waiting.
// Kernel: lock_map_acquire(), fs_reclaim_acquire().
void lock_map_acquire(const LockClass& lock_class,
                      std::source_location where = std::source_location::current());
void lock_map_release(const LockClass& lock_class,
                      std::source_location where = std::source_location::current());

}  // namespace racier
