// core/sync/completion.cc - a count under a spinlock, handed to sleepers in order.
//
// A sleeper takes the lock again after it was woken: only then has the waker let go of
// it, and the completion may be destroyed.  Kernel: kernel/sched/completion.c.
//
// Tested by wait_queue_test.cc.
#include "core/sync/completion.h"

#include "core/sync/contention.h"
#include "core/sync/context.h"

namespace racier {

struct Completion::Sleeper : ListNode {
  Task* task = nullptr;
  std::atomic<bool> woken{false};
};

// One task's stay on the list; it leaves at the end of the scope, even by an exception.
class Completion::Stay {
 public:
  Stay(Completion& completion, Task* self, Where where)
      : completion_(completion), where_(where) {
    sleeper_.task = self;
  }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;
  // Takes the lock in any case: whoever woke the sleeper has then let go of it.
  ~Stay() noexcept(false) {
    leave();  // throws if the run is over, and then last_resort_ does
  }

  // Context: the lock held, which the analysis knows as another completion's.
  void join_locked() NO_THREAD_SAFETY_ANALYSIS {
    completion_.waiters_.add_before(sleeper_);
  }
  bool woken() const { return sleeper_.woken.load(std::memory_order_acquire); }

 private:
  void leave() {
    const SpinGuard guard(completion_.lock_, where_);
    left_ = true;
    sleeper_.unlink();
  }

  Completion& completion_;
  Where where_;
  Sleeper sleeper_;
  bool left_ = false;
  struct LastResort {
    Stay& stay;
    ~LastResort() {
      if (!stay.left_) stay.leave();
    }
  } last_resort_{*this};
};

void Completion::wait(Where where) {
  might_sleep(where);
  Task* const self = current();
  SpinGuard guard(lock_, where);
  if (done_ > 0) {
    if (done_ != kForAll) --done_;
    return;
  }
  sync::Contention contention(self, lock_.lock_class(), where);
  Stay stay(*this, self, where);
  stay.join_locked();
  guard.unlock(where);
  while (!stay.woken() && contention.sleep()) {
  }
}

void Completion::wake_first_locked() {
  Sleeper& first = static_cast<Sleeper&>(*waiters_.next);
  first.unlink();
  first.woken.store(true, std::memory_order_release);
  first.task->runtime->unpark(*first.task);
}

void Completion::complete(Where where) {
  const SpinGuard guard(lock_, where);
  if (!waiters_.empty()) {
    wake_first_locked();
  } else if (done_ != kForAll) {
    ++done_;
  }
}

void Completion::complete_all(Where where) {
  const SpinGuard guard(lock_, where);
  done_ = kForAll;
  while (!waiters_.empty()) wake_first_locked();
}

}  // namespace racier
