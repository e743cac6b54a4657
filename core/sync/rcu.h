// core/sync/rcu.h - read-copy-update: readers that never wait, and frees that wait for
// them.
#pragma once
#include <cstdint>
#include <source_location>

#include "core/sync/atomic.h"
#include "core/sync/task.h"

namespace racier {

enum class RcuFlavour : std::uint8_t {
  kClassic,  // a read section is any stretch with preemption off, spinlocks included
  kPreempt,  // only rcu_read_lock() to rcu_read_unlock(); the section may be preempted
};

// A callback to run after a grace period.  Embedded in what is to be freed.
struct RcuHead {
  RcuHead* next = nullptr;
  void (*callback)(RcuHead&, void* context) = nullptr;
  void* context = nullptr;
  std::uint64_t grace_period = 0;  // how many had ended when it was called
};

// One RCU domain; each machine has one.
class Rcu {
  using Where = std::source_location;

 public:
  explicit Rcu(RcuFlavour flavour) : flavour_(flavour) {}
  Rcu(const Rcu&) = delete;
  Rcu& operator=(const Rcu&) = delete;

  RcuFlavour flavour() const { return flavour_; }

  // Opens and closes a read section; they nest.  Only the end of the outermost one is a
  // step. Kernel: rcu_read_lock().
  void read_lock(Where where = Where::current());
  void read_unlock(Where where = Where::current());

  // Returns whether the current task is in a read section (of this flavour).
  bool read_held() const;
  // A finding unless the current task is in a read section; outside of tasks all is
  // well.
  void assert_read_held(Where where = Where::current()) const;

  // Sleeps until every read section that is open now has been closed.
  // Context: may sleep; not in a read section.
  void synchronize(Where where = Where::current());

  // Runs `head.callback(head, head.context)` some time after a grace period has ended;
  // callbacks run in the order in which they were called.
  // Context: any; the callback must not sleep.
  void call(RcuHead& head, Where where = Where::current());

  // The body of the task that runs callbacks: sleeps until there are some, waits for
  // the grace period, runs them; returns after stop() when none are left.
  void callback_loop(Where where = Where::current());
  // Lets callback_loop() end.  To be called by the last of the other tasks, or at rest.
  void stop(Where where = Where::current());

  // Runs all callbacks at once.  Only when no task is in a read section (quiescence).
  void barrier_at_rest();
  // Forgets all callbacks: the region they live in is being wiped.
  void reset(RcuFlavour flavour);

  // Returns whether a callback waits for its grace period; no step.
  bool pending() const {
    return callbacks_.raw().load(std::memory_order_relaxed) != nullptr;
  }

 private:
  std::atomic<std::uint32_t>& section_of(Task& task) const;
  void wait_for_readers(Task& self, Where where);
  RcuHead* take_callbacks();

  RcuFlavour flavour_;
  Atomic<std::uint64_t> grace_periods_{0};  // how many have ended
  Atomic<RcuHead*> callbacks_{nullptr};     // newest first
  Atomic<bool> stopped_{false};
  std::atomic<Task*> callback_task_{nullptr};  // who is in callback_loop()
};

// Keeps a read section open for a scope, or until unlock().
class RcuReadGuard {
  using Where = std::source_location;

 public:
  explicit RcuReadGuard(Rcu& rcu, Where where = Where::current())
      : rcu_(&rcu), where_(where) {
    rcu.read_lock(where);
  }
  ~RcuReadGuard() noexcept(false) {
    if (rcu_ != nullptr) rcu_->read_unlock(where_);
  }
  void unlock(Where where = Where::current()) {
    Rcu* const rcu = rcu_;
    rcu_ = nullptr;
    rcu->read_unlock(where);
  }
  RcuReadGuard(const RcuReadGuard&) = delete;
  RcuReadGuard& operator=(const RcuReadGuard&) = delete;

 private:
  Rcu* rcu_;  // null: closed already
  Where where_;
};

}  // namespace racier
