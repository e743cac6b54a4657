// core/sync/rcu.cc - grace periods from one word per task.
//
// Each task has a word that is odd inside of its outermost section and changes at each
// edge (Task::preempt_section, Task::rcu_section).  A grace period looks once at all of
// them, and waits for each odd one to change.  A section that begins later is not
// waited for.  (The end of a spinlock's section is no step; who waits for a word
// notices it all the same.)
//
// Orders.  A section that began before the look is waited for, and its end releases
// what the grace period acquires.  A section that began after it must not find what the
// caller of synchronize() made unreachable before: begin_section(), barrier, reads on
// the one side; unlink, barrier, look on the other.  The reader's barrier is a
// read-modify-write, its own or the one that takes a spinlock: a full barrier on x86.
// (The fence that the standard and other hosts want costs 10 ns more.)
//
// Tested by rcu_test.cc.
#include "core/sync/rcu.h"

#include <array>

#include "core/base/finding.h"
#include "core/base/require.h"
#include "core/base/source_name.h"
#include "core/sync/contention.h"
#include "core/sync/context.h"
#include "core/sync/lock_checker.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

// Runs a callback in atomic context, where it must not sleep.  Kernel: softirq.
void run_callback(RcuHead& head) {
  struct Atomically {
    Atomically() { preempt_disable(); }
    ~Atomically() { preempt_enable(); }
  } const atomically;
  head.callback(head, head.context);
}

// Ends a section when it goes out of scope.
class SectionEnd {
 public:
  explicit SectionEnd(std::atomic<std::uint32_t>& section) : section_(section) {}
  ~SectionEnd() { sync::end_section(section_); }
  SectionEnd(const SectionEnd&) = delete;
  SectionEnd& operator=(const SectionEnd&) = delete;

 private:
  std::atomic<std::uint32_t>& section_;
};

[[noreturn]] void report_unbalanced(std::source_location where) {
  report(FindingKind::kLockUse, "WARNING: bad unlock balance detected: rcu_read_lock",
         "", where);
}

}  // namespace

std::atomic<std::uint32_t>& Rcu::section_of(Task& task) const {
  return flavour_ == RcuFlavour::kClassic ? task.preempt_section : task.rcu_section;
}

void Rcu::read_lock(Where where) {
  Task* const self = current();
  if (self == nullptr) return;
  if (self->sites != nullptr) [[unlikely]] {
    const bool left_out =
        sync::is_left_out(self, SiteKind::kLock, "rcu_read_lock", where);
    self->sections_left_out = self->sections_left_out << 1 | left_out;
    if (left_out) return;
  }
  const bool first = self->rcu_nesting++ == 0;
  const bool outermost =
      flavour_ == RcuFlavour::kClassic ? self->preempt_count++ == 0 : first;
  if (!outermost) return;
  std::atomic<std::uint32_t>& section = section_of(*self);
  section.exchange(section.load(std::memory_order_relaxed) + 1,
                   std::memory_order_relaxed);
  weak_barrier();
  // The compiler's part of the barrier.
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

void Rcu::read_unlock(Where where) {
  Task* const self = current();
  if (self == nullptr) return;
  if (self->sites != nullptr) [[unlikely]] {
    const bool left_out = (self->sections_left_out & 1) != 0;
    self->sections_left_out >>= 1;
    if (left_out) return;
  }
  if (self->rcu_nesting == 0 && !sync::unwinding()) [[unlikely]]
    report_unbalanced(where);
  if (--self->rcu_nesting != 0) {
    if (flavour_ == RcuFlavour::kClassic) sync::preempt_enable(*self);
    return;
  }
  if (flavour_ == RcuFlavour::kClassic && --self->preempt_count != 0) return;
  std::atomic<std::uint32_t>& section = section_of(*self);
  const SectionEnd end(section);
  sync::step_of(self, {&section, Access::kWrite, std::memory_order_release, where,
                       sizeof section});
}

bool Rcu::read_held() const {
  const Task* const self = current();
  if (self == nullptr) return false;
  if (self->sections_left_out != 0) return true;  // it is said to be in one
  return (flavour_ == RcuFlavour::kClassic ? self->preempt_count : self->rcu_nesting) >
         0;
}

void Rcu::assert_read_held(Where where) const {
  if (current() == nullptr || read_held() || sync::unwinding()) return;
  report(
      FindingKind::kLockUse,
      "WARNING: suspicious RCU usage in " + bare_function_name(where.function_name()),
      "not in a read section" + LockChecker::held_locks(*current()), where);
}

void Rcu::synchronize(Where where) {
  Task* const self = current();
  might_sleep(where);
  if (self == nullptr) return;
  if (sync::is_left_out(self, SiteKind::kGrace, "synchronize_rcu", where)) return;
  sync::step_of(self, {&grace_periods_, Access::kRmw, std::memory_order_seq_cst, where,
                       sizeof grace_periods_});
  wait_for_readers(*self, where);
  self->side_effects = true;
  grace_periods_.raw().fetch_add(1, std::memory_order_relaxed);
}

void Rcu::wait_for_readers(Task& self, Where where) {
  Runtime& runtime = *self.runtime;
  const int tasks = runtime.tasks();
  require(tasks <= kTasksMax, "a run has at most kTasksMax tasks");
  std::array<std::uint32_t, kTasksMax> seen;
  // Pairs with the read-modify-write at the start of each section.
  fence(std::memory_order_seq_cst);
  // Edges of sections are not noted: it is enough that looks at them are.
  self.side_effects = true;
  for (int i = 0; i < tasks; ++i) {
    seen[static_cast<std::size_t>(i)] =
        section_of(runtime.task(i)).load(std::memory_order_acquire);
  }
  for (int i = 0; i < tasks; ++i) {
    Task& task = runtime.task(i);
    const std::uint32_t open = seen[static_cast<std::size_t>(i)];
    if ((open & 1) == 0 || &task == &self) continue;
    const std::atomic<std::uint32_t>& section = section_of(task);
    self.side_effects = true;
    while (section.load(std::memory_order_acquire) == open && !sync::unwinding()) {
      runtime.step_when_written(
          self,
          {&section, Access::kRead, std::memory_order_relaxed, where, sizeof section});
    }
  }
}

// Sequentially consistent: one of call() and callback_loop() sees the other.
void Rcu::call(RcuHead& head, Where where) {
  if (sync::is_left_out(current(), SiteKind::kGrace, "call_rcu", where)) {
    run_callback(head);
    return;
  }
  step(
      {&callbacks_, Access::kRmw, std::memory_order_seq_cst, where, sizeof callbacks_});
  head.grace_period = grace_periods_.raw().load(std::memory_order_relaxed);
  std::atomic<RcuHead*>& newest = callbacks_.raw();
  head.next = newest.load(std::memory_order_relaxed);
  while (!newest.compare_exchange_weak(head.next, &head, std::memory_order_seq_cst,
                                       std::memory_order_relaxed)) {
  }
  if (Task* const task = callback_task_.load(std::memory_order_seq_cst)) {
    task->runtime->unpark(*task);
  }
}

// Returns the callbacks, oldest first.
RcuHead* Rcu::take_callbacks() {
  RcuHead* newest = callbacks_.raw().exchange(nullptr, std::memory_order_seq_cst);
  RcuHead* oldest = nullptr;
  while (newest != nullptr) {
    RcuHead* const next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

void Rcu::callback_loop(Where where) {
  Task* const self = current();
  require(self != nullptr, "callback_loop is a task's body");
  callback_task_.store(self, std::memory_order_seq_cst);
  self->side_effects = true;
  for (;;) {
    // Before the look at the list: who stops has called all its callbacks.
    const bool stopped = stopped_.peek(std::memory_order_seq_cst);
    sync::step_of(self, {&callbacks_, Access::kRmw, std::memory_order_seq_cst, where,
                         sizeof callbacks_});
    RcuHead* head = take_callbacks();
    if (head == nullptr && stopped) break;
    if (head == nullptr) {
      self->idle = true;
      self->runtime->park(*self, where);
      self->idle = false;
      continue;
    }
    synchronize(where);
    while (head != nullptr) {
      RcuHead* const next = head->next;  // the callback frees `head`
      run_callback(*head);
      head = next;
    }
  }
  callback_task_.store(nullptr, std::memory_order_seq_cst);
  self->side_effects = true;
}

void Rcu::stop(Where where) {
  stopped_.store(true, OwnOrder{std::memory_order_seq_cst}, where);
  note_side_effects();  // callback_loop() peeks at it
  if (Task* const task = callback_task_.load(std::memory_order_seq_cst)) {
    task->runtime->unpark(*task);
  }
}

void Rcu::barrier_at_rest() {
  while (RcuHead* head = take_callbacks()) {
    while (head != nullptr) {
      RcuHead* const next = head->next;
      head->callback(*head, head->context);
      head = next;
    }
  }
}

void Rcu::reset(RcuFlavour flavour) {
  flavour_ = flavour;
  grace_periods_.raw().store(0, std::memory_order_relaxed);
  callbacks_.raw().store(nullptr, std::memory_order_relaxed);
  stopped_.raw().store(false, std::memory_order_relaxed);
  callback_task_.store(nullptr, std::memory_order_relaxed);
}

}  // namespace racier
