// core/sync/completion.h - an event that tasks wait for, once each.
#pragma once
#include <cstdint>
#include <source_location>

#include "core/base/list.h"
#include "core/base/thread_annotations.h"
#include "core/sync/lock_class.h"
#include "core/sync/spin_lock.h"

namespace racier {

// Kernel: struct completion.  May live on the stack of the one who waits: when wait()
// has returned, nobody touches it any more.
class Completion {
  using Where = std::source_location;

 public:
  explicit Completion(const LockClass& lock_class) : lock_(lock_class) {}
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  // Sleeps until complete() was called, and uses that call up.  Context: may sleep.
  void wait(Where where = Where::current());
  // Lets one waiter go on, the oldest; or, if there is none, the next that comes.
  // Context: any.
  void complete(Where where = Where::current());
  // Lets all waiters go on, and all that will come.
  void complete_all(Where where = Where::current());

 private:
  struct Sleeper;
  class Stay;
  void wake_first_locked() REQUIRES(lock_);

  static constexpr std::uint32_t kForAll = UINT32_MAX;
  SpinLock lock_;
  std::uint32_t done_ GUARDED_BY(lock_) =
      0;                                // calls not used up; kForAll: complete_all()
  ListNode waiters_ GUARDED_BY(lock_);  // Sleepers, oldest first; only while done_ is 0
};

}  // namespace racier
