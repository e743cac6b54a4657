// core/sync/contention.h - what every lock of this room does when it must wait.
//
// For the files of this room only.
#pragma once
#include <exception>
#include <source_location>

#include "core/sync/lock_class.h"
#include "core/sync/task.h"

namespace racier::sync {

// Returns whether a destructor runs because the task is being left by an exception: its
// run is over, nothing is a step and nothing may be reported.
inline bool unwinding() { return std::uncaught_exceptions() > 0; }

// Takes a step of `self`, if there is one and its steps are on; the access is the
// caller's to make, in memory.
inline void step_of(Task* self, const Step& where) {
  Task* const weak = arrive(self, where);
  if (weak != nullptr) [[unlikely]]
    weak->weak->order(*weak, where);
}

// Reports that a lock is held although no task runs that could let go of it.
[[noreturn]] void held_at_rest(const LockClass& lock_class, std::source_location where);

// One task's wait for one lock.
class Contention {
 public:
  Contention(Task* self, const LockClass& lock_class, std::source_location where)
      : self_(self), where_(where) {
    if (self == nullptr) held_at_rest(lock_class, where);
  }

  // Waits until the word at `address` is written.  Returns false if the caller had
  // better go on as if it had the lock: it is being unwound, and whoever holds the lock
  // never lets go. A task with its steps off waits too: nobody else could make it go
  // on.
  [[nodiscard]] bool wait_for_word(const void* address, std::uint8_t size) {
    if (gives_up()) return false;
    self_->runtime->step_when_written(
        *self_, {address, Access::kRead, std::memory_order_relaxed, where_, size});
    return true;
  }

  // Likewise, sleeping until unpark().
  [[nodiscard]] bool sleep() {
    if (gives_up()) return false;
    self_->runtime->park(*self_, where_);
    return true;
  }

 private:
  bool gives_up() { return unwinding() && ++turns_ > kTurnsMax; }

  static constexpr int kTurnsMax = 1000;
  Task* self_;
  std::source_location where_;
  int turns_ = 0;
};

}  // namespace racier::sync
