// core/sync/wait_queue.cc - prepare to wait, ask again, sleep.
//
// The waiter joins the queue before it asks for the condition, and the waker makes the
// condition true before it looks at the queue: one of them sees the other.
// Kernel: kernel/sched/wait.c, prepare_to_wait_event() and autoremove_wake_function().
//
// Tested by wait_queue_test.cc.
#include "core/sync/wait_queue.h"

#include "core/sync/contention.h"
#include "core/sync/context.h"

namespace racier {

// One task's stay on the queue; it leaves at the end of the scope, even by an
// exception.
class WaitQueue::Stay {
 public:
  Stay(WaitQueue& queue, bool exclusive, WaitKey key, Where where)
      : queue_(queue), where_(where) {
    waiter_.task = current();
    waiter_.exclusive = exclusive;
    waiter_.key = key;
  }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;
  ~Stay() noexcept(false) {
    if (joined_ && !woken())
      leave();  // throws if the run is over, and then last_resort_ does
  }

  bool woken() const { return waiter_.woken.load(std::memory_order_acquire); }

  // Kernel: prepare_to_wait_event().  Exclusive waiters stand behind all others.
  void join() {
    if (joined_ && !woken()) return;
    join_queue();
    // Pairs with the waker's barrier between what it wrote and active(): whatever the
    // order of the condition's loads.  Kernel: set_current_state().
    fence(std::memory_order_seq_cst);
  }

  // Returns whether it was still waiting: no wake has chosen it.
  bool leave() {
    const SpinGuard guard(queue_.lock_, where_);
    joined_ = false;
    if (woken()) return false;
    queue_.waiters_.erase(waiter_);
    note_side_effects();
    queue_.waiting_.raw().fetch_sub(1, std::memory_order_relaxed);
    return true;
  }

 private:
  void join_queue() {
    const SpinGuard guard(queue_.lock_, where_);
    joined_ = false;
    // Sequentially consistent: the other half of active_raw().
    queue_.waiting_.store(queue_.waiting_.raw().load(std::memory_order_relaxed) + 1,
                          OwnOrder{std::memory_order_seq_cst}, where_);
    note_side_effects();  // active_raw() is no step
    waiter_.woken.store(false, std::memory_order_relaxed);
    if (waiter_.exclusive) {
      queue_.waiters_.push_back(waiter_);
    } else {
      queue_.waiters_.push_front(waiter_);
    }
    joined_ = true;
  }

  WaitQueue& queue_;
  Where where_;
  Waiter waiter_;
  bool joined_ =
      false;  // joined the queue and has not left; a waker may have taken it off
  struct LastResort {
    Stay& stay;
    ~LastResort() {
      if (stay.joined_ && !stay.woken()) stay.leave();
    }
  } last_resort_{*this};
};

Status WaitQueue::wait_for(Condition condition, bool exclusive, bool interruptible,
                           WaitKey key, Where where) {
  might_sleep(where);
  if (condition()) return Status::kOk;
  Task* const self = current();
  sync::Contention contention(self, lock_.lock_class(), where);
  Stay stay(*this, exclusive, key, where);
  for (;;) {
    stay.join();
    if (condition()) return Status::kOk;
    if (interruptible && self->signal_pending.load(std::memory_order_acquire)) {
      if (stay.leave()) return Status::kInterrupted;
      // A wake has chosen this one and no other: it must not be lost.
      return condition() ? Status::kOk : Status::kInterrupted;
    }
    while (!stay.woken()) {
      if (!contention.sleep()) return Status::kInterrupted;
      if (interruptible && self->signal_pending.load(std::memory_order_acquire)) break;
    }
  }
}

void WaitQueue::wait(Condition condition, Where where, WaitKey key) {
  const Status status = wait_for(condition, false, false, key, where);
  static_cast<void>(status);
}

void WaitQueue::wait_exclusive(Condition condition, Where where, WaitKey key) {
  const Status status = wait_for(condition, true, false, key, where);
  static_cast<void>(status);
}

Status WaitQueue::wait_interruptible(Condition condition, Where where, WaitKey key) {
  return wait_for(condition, false, true, key, where);
}

void WaitQueue::wake(int exclusive, Where where, WaitKey key) {
  const SpinGuard guard(lock_, where);
  // No step in this loop: a waiter that is unwound leaves the queue at any step.
  for (auto at = waiters_.begin(); at != waiters_.end() && exclusive > 0;) {
    Waiter& waiter = *at;
    ++at;
    if (key.word != nullptr && waiter.key != key) continue;
    if (waiter.exclusive) --exclusive;
    Task& task = *waiter.task;
    waiters_.erase(waiter);
    waiting_.raw().fetch_sub(1, std::memory_order_relaxed);
    waiter.woken.store(true, std::memory_order_release);  // the waiter may be gone now
    task.runtime->unpark(task);
  }
}

void interrupt(Task& task, std::source_location where) {
  step({&task.signal_pending, Access::kWrite, std::memory_order_release, where,
        sizeof task.signal_pending});
  task.signal_pending.store(true, std::memory_order_release);
  task.runtime->unpark(task);
}

}  // namespace racier
