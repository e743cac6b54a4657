// core/sync/task.h - the running task: what a kernel keeps in its task_struct and per
// CPU.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <source_location>

#include "core/base/run_state.h"
#include "core/base/site.h"
#include "core/sync/lock_class.h"
#include "core/sync/runtime.h"
#include "core/sync/weak_memory.h"

namespace racier {

class Sites;

inline constexpr int kTasksMax = 16;

// How a lock is held.
enum class Hold : std::uint8_t { kExclusive, kShared };

// One lock that a task holds.  Kept by the lock checker.
struct HeldLock {
  const void* lock;
  const LockClass* lock_class;
  Hold hold;
  bool spins;  // taken by spinning: the holder is in atomic context
  std::source_location where;
  bool left_out = false;  // only said to be held: sites.h
};
inline constexpr int kHeldLocksMax = 24;

// The lock that a task is about to take, or waits for.
struct WantedLock {
  const void* lock = nullptr;  // null: none
  const LockClass* lock_class = nullptr;
};

// A task of a run.  Fields are the task's own unless a comment says otherwise.
struct Task {
  int id = 0;
  Runtime* runtime = nullptr;
  RunState* run = nullptr;
  std::uint32_t steps = 0;  // steps taken so far; names a place in a schedule

  // Locks held, oldest first; the first `held_count` entries count.
  std::array<HeldLock, kHeldLocksMax> held{};
  int held_count = 0;
  WantedLock wanted;

  // It sleeps because there is nothing for it to do: whoever cannot go on, it is not
  // one.
  bool idle = false;

  // > 0: in atomic context (a spinlock, or a classic RCU read section).
  int preempt_count = 0;
  // > 0: in an RCU read section.
  int rcu_nesting = 0;
  // What a grace period sees of the two: odd while the count is above 0, one more at
  // each edge.  Changed by this task only, read by those who wait for it (rcu.cc).
  std::atomic<std::uint32_t> preempt_section{0};
  std::atomic<std::uint32_t> rcu_section{0};
  // Somebody wants it to return from interruptible waits.  Any task.
  std::atomic<bool> signal_pending{false};

  // > 0: no step is taken and no switch happens: set-up of objects, audits.
  int steps_off = 0;
  // > 0: no plain access is a step: an Interlock is held.
  int plain_steps_off = 0;
  // The word of the step that was taken last: the access itself is not another step.
  const void* announced = nullptr;
  // The line of the step that was taken last.
  std::source_location at;
  // What it has done since its last step is more than that step says: see
  // note_side_effects().
  bool side_effects = false;
  // What its shared accesses ask; null: memory itself is all they see.
  WeakMemory* weak = nullptr;
  // What the run does without; null: nothing.
  Sites* sites = nullptr;
  // Of each RCU read section that it is in, the innermost last: whether it is left out.
  std::uint32_t sections_left_out = 0;
  // How many locks it is said to hold that are left out: what it does under them is
  // seen by others, access by access.
  std::uint32_t locks_left_out = 0;
  // The run is over and the body is being left by an exception: nothing is a step any
  // more.
  bool unwinding = false;

  // PF_MEMALLOC: the task is reclaiming, and must not start to reclaim.
  bool memalloc = false;
  // Fails the n-th allocation that may fail from now on; 0: none.
  std::uint32_t fail_nth = 0;
  // How many were made to fail (core/memory/fault_injection.h).
  std::uint32_t failures_injected = 0;
};

// Whom this OS thread runs.  All fibers of a thread share it, so no sanitizer may see
// its accesses: it is read and written by the two functions below only.
extern constinit thread_local Task* task_of_thread;

// The running task, or nullptr outside of tasks (then no sync operation is a step).
[[clang::disable_sanitizer_instrumentation]] inline Task* current() {
  return task_of_thread;
}

// Makes `task` the current one of this OS thread.  For runtimes only.
[[clang::disable_sanitizer_instrumentation]] inline void set_current(Task* task) {
  task_of_thread = task;
}

namespace sync {

bool asks_sites(const Task& self, SiteKind kind, const char* what,
                std::source_location where);

// Returns whether `self` is to do without `what`, of `kind`, at `where`.
inline bool is_left_out(const Task* self, SiteKind kind, const char* what,
                        std::source_location where) {
  if (self == nullptr || self->sites == nullptr) [[likely]]
    return false;
  return asks_sites(*self, kind, what, where);
}

}  // namespace sync

// Notes that the running task does more before its next step than the last one said: it
// frees memory, looks at words of others, wakes somebody.  Who leaves out orders of
// steps that seem to commute has to know (core/runtime/exhaustive.h).  Of two such
// accesses to one thing it is enough if one is noted.
inline void note_side_effects() {
  if (Task* const self = current()) self->side_effects = true;
}

// While it lives, the current task takes no steps: what it does is one step for the
// others.
class StepsOff {
 public:
  // (The compiler does not see that accesses between the two may be steps.)
  StepsOff() : task_(current()) {
    if (task_ != nullptr) {
      ++task_->steps_off;
      task_->side_effects = true;
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  ~StepsOff() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (task_ != nullptr) --task_->steps_off;
  }
  StepsOff(const StepsOff&) = delete;
  StepsOff& operator=(const StepsOff&) = delete;

 private:
  Task* task_;
};

// Takes a step of `self`, if there is one and its steps are on.  Returns it if what
// follows has to ask its memory.
inline Task* arrive(Task* self, const Step& where) {
  if (self == nullptr) return nullptr;
  if (self->steps_off == 0) self->runtime->step(*self, where);
  return self->weak == nullptr ? nullptr : self;
}

// Takes a step if there is a current task; the access is the caller's to make, in
// memory.
inline void step(const Step& where) {
  Task* const weak = arrive(current(), where);
  if (weak != nullptr) [[unlikely]]
    weak->weak->order(*weak, where);
}

// Orders what the caller did before against what it does behind it, in a weakly ordered
// memory: where nothing else does, because on the host nothing need.  No step.
inline void weak_barrier(std::memory_order order = std::memory_order_acq_rel,
                         std::source_location where = std::source_location::current()) {
  Task* const self = current();
  if (self == nullptr || self->weak == nullptr) [[likely]]
    return;
  self->weak->order(*self, {nullptr, Access::kRmw, order, where});
}

// [at, at + size) is being freed: the caller's stores are made first, and one of
// another task to there that is late is a use after free.  No step.
inline void weak_free(const void* at, std::size_t size,
                      std::source_location where = std::source_location::current()) {
  Task* const self = current();
  if (self == nullptr || self->weak == nullptr) [[likely]]
    return;
  weak_barrier(std::memory_order_acq_rel, where);
  self->weak->freed(*self, at, size);
}

// While it lives, the current task fills [at, at + size) with plain stores: one store,
// for others, which a weakly ordered memory may make later.  No step meanwhile.
class WeakFill {
 public:
  WeakFill(void* at, std::size_t size,
           std::source_location where = std::source_location::current())
      : task_(current()) {
    if (task_ == nullptr || task_->weak == nullptr) [[likely]] {
      task_ = nullptr;
      return;
    }
    ++task_->plain_steps_off;
    late_ = task_->weak->fills(*task_, at, size, where);
  }
  ~WeakFill() {
    if (task_ == nullptr) [[likely]]
      return;
    if (late_) task_->weak->filled(*task_);
    --task_->plain_steps_off;
  }
  WeakFill(const WeakFill&) = delete;
  WeakFill& operator=(const WeakFill&) = delete;

 private:
  Task* task_;  // null: memory is all that others see
  bool late_ = false;
};

// Takes a step of a task that waits for somebody to write the word at `where`.
inline void step_when_written(const Step& where) {
  Task* const self = current();
  if (self != nullptr && self->steps_off == 0) {
    self->runtime->step_when_written(*self, where);
  }
}

// Returns a number below `limit`; 0 outside of tasks.
inline std::uint64_t choose(std::uint64_t limit) {
  Task* const self = current();
  return self == nullptr ? 0 : self->runtime->choose(*self, limit);
}

}  // namespace racier
