// core/runtime/native_runtime.cc - the world as it is.
//
// A sleep is a futex; it orders nothing for ThreadSanitizer, as a fiber's sleep does
// not: what a sleeper may read is ordered by the lock that it sleeps for. Tested by
// native_runtime_test.cc.
#include "core/runtime/native_runtime.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <new>

#include "core/base/require.h"
#include "core/runtime/sanitizer_reports.h"
#include "core/runtime/sanitizers.h"
#include "core/sync/lock_checker.h"

namespace racier {
namespace {

// A task's bed.
constexpr std::uint32_t kEmpty = 0;   // it is up
constexpr std::uint32_t kCalled = 1;  // unparked: its next park returns at once
constexpr std::uint32_t kAsleep = 2;

constexpr int kSpins = 64;  // looks at a word before a waiter yields

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}
void futex_wake(std::atomic<std::uint32_t>& word, int sleepers = 1) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, sleepers, nullptr, nullptr, 0);
}

}  // namespace

NativeRuntime::~NativeRuntime() {
  stopping_ = true;
  ++runs_;
  futex_wake(runs_, kTasksMax);
  for (std::thread& thread : threads_) thread.join();
}

// ---- A run --------------------------------------------------------------------------

void NativeRuntime::run(RunState& run, std::span<const FunctionRef<void()>> bodies) {
  require(current() == nullptr, "a run does not start inside a task");
  require(bodies.size() <= kTasksMax, "a run has at most kTasksMax tasks");
  if (bodies.empty()) return;
  {
    std::lock_guard lock(mutex_);
    begin(run, bodies);
  }
  while (threads_.size() < bodies.size()) {
    threads_.emplace_back(&NativeRuntime::work, this, threads_.size(), runs_.load());
  }
  unfinished_ = static_cast<std::uint32_t>(threads_.size());
  sanitizers::release(&start_edge_);
  ++runs_;
  futex_wake(runs_, kTasksMax);
  for (std::uint32_t left = unfinished_; left != 0; left = unfinished_) {
    futex_wait(unfinished_, left);
  }
  sanitizers::acquire(&join_edge_);
  std::lock_guard lock(mutex_);
  run_ = nullptr;
}

void NativeRuntime::begin(RunState& run, std::span<const FunctionRef<void()>> bodies) {
  run_ = &run;
  bodies_ = bodies;
  tasks_ = static_cast<int>(bodies.size());
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    Slot& slot = slots_[i];
    Task* const task = new (&slot.task) Task;  // trivially destructible: made anew
    task->id = static_cast<int>(i);
    task->runtime = this;
    task->run = &run;
    task->sites = run.sites;
    slot.bed.store(kEmpty, std::memory_order_relaxed);
    slot.spins_at.store({}, std::memory_order_relaxed);
    slot.choices = Random(Random::mixed(seed_ + i));
    slot.jitter = Random(Random::mixed(seed_ + i + kTasksMax));
  }
}

// The life of thread `index`, born when `runs_seen` runs had begun.
void NativeRuntime::work(std::size_t index, std::uint32_t runs_seen) {
  for (;;) {
    while (runs_ == runs_seen) futex_wait(runs_, runs_seen);
    runs_seen = runs_;
    if (stopping_) return;
    sanitizers::acquire(&start_edge_);
    if (index < bodies_.size()) run_body(slots_[index].task, bodies_[index]);
    sanitizers::release(&join_edge_);
    if (--unfinished_ == 0) futex_wake(unfinished_);
  }
}

void NativeRuntime::run_body(Task& self, const FunctionRef<void()>& body) {
  RunState& run = *self.run;
  set_current_run(&run);
  set_current(&self);
  sanitizer_reports::Watch reports(run);
  slot_of(self).reports = &reports;
  try {
    body();
    if (reports.collect()) throw RunOver{.reporter = true};
    LockChecker::at_task_end(self);
  } catch (const RunOver& over) {
    if (over.reporter) run.set_reporter(self.id, self.steps);
  } catch (...) {
    require(false, "no exception but RunOver leaves the body of a task");
  }
  reports.collect();
  set_current(nullptr);
  set_current_run(nullptr);
  if (run.over()) wake_all();
}

void NativeRuntime::cancel(Finding finding) {
  std::lock_guard lock(mutex_);
  if (run_ == nullptr) return;
  run_->record(std::move(finding));
  wake_all();
}

// To be called once the run is over: nobody falls asleep again.
void NativeRuntime::wake_all() {
  for (int i = 0; i < tasks_; ++i) unpark(task(i));
}

// ---- A step -------------------------------------------------------------------------

void NativeRuntime::step(Task& self, const Step&) {
  if (inert(self)) return;
  // progress() reads it.
  __atomic_store_n(&self.steps, self.steps + 1, __ATOMIC_RELAXED);
  if (jitter_ != 0) dawdle(slot_of(self));
}

void NativeRuntime::step_when_written(Task& self, const Step& where) {
  if (inert(self)) return let_others_end();
  __atomic_store_n(&self.steps, self.steps + 1, __ATOMIC_RELAXED);
  Slot& slot = slot_of(self);
  slot.spins_since.store(self.steps, std::memory_order_relaxed);
  slot.spins_at.store(where.where, std::memory_order_relaxed);
  const auto* const word = static_cast<const unsigned char*>(where.address);
  const unsigned char seen = __atomic_load_n(word, __ATOMIC_RELAXED);
  for (int i = 0; i < kSpins; ++i) {
    if (__atomic_load_n(word, __ATOMIC_RELAXED) != seen) return;
    __builtin_ia32_pause();
  }
  sched_yield();
}

void NativeRuntime::park(Task& self, std::source_location where) {
  if (inert(self)) return let_others_end();
  Slot& slot = slot_of(self);
  slot.sleeps_at.store(where, std::memory_order_relaxed);
  std::uint32_t bed = kEmpty;
  if (slot.bed.compare_exchange_strong(bed, kAsleep)) {
    while (slot.bed.load() == kAsleep) futex_wait(slot.bed, kAsleep);
  }
  slot.bed.store(kEmpty);
  slot.sleeps_at.store({}, std::memory_order_relaxed);
  __atomic_store_n(&self.steps, self.steps + 1, __ATOMIC_RELAXED);
  inert(self);
}

void NativeRuntime::unpark(Task& task) {
  Slot& slot = slot_of(task);
  if (slot.bed.exchange(kCalled) == kAsleep) futex_wake(slot.bed);
}

std::uint64_t NativeRuntime::choose(Task& self, std::uint64_t limit) {
  require(limit > 0, "a choice is among at least one value");
  return slot_of(self).choices.below(limit);
}

// Returns whether a step of `self` does nothing: the run is over and destructors call.
// Throws if the run is over and `self` does not know yet.
bool NativeRuntime::inert(Task& self) {
  sanitizer_reports::Watch& reports = *slot_of(self).reports;
  if (!self.run->over() && !reports.pending()) return false;
  self.unwinding = true;
  if (std::uncaught_exceptions() == 0) throw RunOver{.reporter = reports.collect()};
  return true;
}

// A destructor waits: perhaps for what a sleeper holds.
void NativeRuntime::let_others_end() {
  wake_all();
  sched_yield();
}

void NativeRuntime::dawdle(Slot& slot) {
  if (slot.jitter.below(jitter_) != 0) return;
  const std::uint64_t how = slot.jitter.below(512);
  if (how < 64) {
    sched_yield();
  } else {
    for (std::uint64_t i = 0; i < how; ++i) __builtin_ia32_pause();
  }
}

// ---- For who watches ----------------------------------------------------------------

std::uint64_t NativeRuntime::progress() const {
  std::lock_guard lock(mutex_);
  std::uint64_t steps = runs_.load();
  for (int i = 0; i < tasks_; ++i) {
    steps += __atomic_load_n(&slots_[static_cast<std::size_t>(i)].task.steps,
                             __ATOMIC_RELAXED);
  }
  return steps;
}

bool NativeRuntime::running() const {
  std::lock_guard lock(mutex_);
  return run_ != nullptr;
}

std::vector<Stuck> NativeRuntime::waiting() const {
  std::lock_guard lock(mutex_);
  std::vector<Stuck> stuck;
  for (int i = 0; run_ != nullptr && i < tasks_; ++i) {
    const Slot& slot = slots_[static_cast<std::size_t>(i)];
    const std::uint32_t steps = __atomic_load_n(&slot.task.steps, __ATOMIC_RELAXED);
    const std::source_location sleeps_at =
        slot.sleeps_at.load(std::memory_order_relaxed);
    const std::source_location spins_at = slot.spins_at.load(std::memory_order_relaxed);
    const bool spins = spins_at.line() != 0 &&
                       steps - slot.spins_since.load(std::memory_order_relaxed) <= 1;
    if (sleeps_at.line() != 0) {
      stuck.push_back({&slot.task, true, sleeps_at});
    } else if (spins) {
      stuck.push_back({&slot.task, false, spins_at});
    }
  }
  return stuck;
}

}  // namespace racier
