// core/sync/wait_queue.h - tasks that sleep until a condition may have become true.
#pragma once
#include <cstdint>
#include <limits>
#include <source_location>

#include "core/base/function_ref.h"
#include "core/base/list.h"
#include "core/base/status.h"
#include "core/base/thread_annotations.h"
#include "core/sync/spin_lock.h"
#include "core/sync/task.h"

namespace racier {

// What the sleepers of a shared queue wait for.  A wake with a key passes over those
// who wait for something else; null: anything.  Kernel: struct wait_bit_key.
struct WaitKey {
  const void* word = nullptr;
  int bit = 0;
  bool operator==(const WaitKey&) const = default;
};

// One sleeping task.  Lives on the sleeper's stack; `node` is guarded by the queue's
// lock.
struct Waiter {
  ListNode node;
  Task* task = nullptr;
  bool exclusive = false;
  WaitKey key;
  // Set by the waker as the last it does to the waiter.
  std::atomic<bool> woken{false};
};

// Kernel: wait_queue_head_t.
class WaitQueue {
  using Where = std::source_location;
  using Condition = FunctionRef<bool()>;

 public:
  static constexpr int kAll = std::numeric_limits<int>::max();

  explicit WaitQueue(const LockClass& lock_class) : lock_(lock_class) {}
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  // Sleeps until `condition` returns true; it is asked before every sleep and after
  // every wake.  Kernel: wait_event().  Context: may sleep.
  void wait(Condition condition, Where where = Where::current(), WaitKey key = {});
  // Likewise, as one of those of whom a wake wakes only one.
  void wait_exclusive(Condition condition, Where where = Where::current(),
                      WaitKey key = {});
  // Likewise, but returns kInterrupted when a signal is pending and the condition
  // false.
  Status wait_interruptible(Condition condition, Where where = Where::current(),
                            WaitKey key = {});

  // Wakes all non-exclusive waiters and `exclusive` exclusive ones, oldest first.
  // Kernel: wake_up_nr().  Context: any.
  void wake(int exclusive = 1, Where where = Where::current(), WaitKey key = {});
  void wake_all(Where where = Where::current(), WaitKey key = {}) {
    wake(kAll, where, key);
  }

  // Returns whether anybody waits, without the lock: a hint that is only as good as the
  // barrier before it.  Kernel: waitqueue_active().
  bool active(Where where = Where::current()) const {
    return waiting_.load(std::memory_order_relaxed, where) != 0;
  }
  // Likewise, without a step; with the barrier, if the caller wrote what sleepers wait
  // for by a sequentially consistent read-modify-write.
  bool active_raw() const {
    return waiting_.raw().load(std::memory_order_seq_cst) != 0;
  }

 private:
  class Stay;
  Status wait_for(Condition condition, bool exclusive, bool interruptible, WaitKey key,
                  Where where);

  SpinLock lock_;
  List<Waiter, &Waiter::node> waiters_ GUARDED_BY(lock_);
  Atomic<std::uint32_t> waiting_{0};  // the length of waiters_; changed under lock_
};

// Makes the interruptible waits of `task` return, now and until it clears
// signal_pending. Kernel: signal_wake_up().  Context: any.
void interrupt(Task& task,
               std::source_location where = std::source_location::current());

}  // namespace racier
