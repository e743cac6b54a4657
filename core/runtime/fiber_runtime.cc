// core/runtime/fiber_runtime.cc - the controlled world.
//
// A task runs until it is about to make a step.  There the strategy says who goes on;
// if it is another, the stacks are switched.  So exactly one task runs at any time,
// between two steps it runs alone, and what happens in a run is a function of what the
// strategy said.
//
// A run that has a finding is over: whoever reported it unwinds, then every other
// unfinished task is resumed in turn and unwinds too.  Destructors release locks on the
// way; their steps do nothing.
//
// Nothing here may be seen by a sanitizer: sanitizers.h.  Tested by
// fiber_runtime_test.cc, replay_test.cc, tsan_test.cc, asan_test.cc.  plain_step() is
// in plain_steps.cc.
#include "core/runtime/fiber_runtime.h"

#include <new>

#include "core/base/require.h"
#include "core/runtime/sanitizer_reports.h"
#include "core/runtime/sanitizers.h"
#include "core/sync/lock_checker.h"

namespace racier {
namespace {

// So many rounds has a wait in a destructor of a task that unwinds.
constexpr int kWaitsOfLeaversMax = 1 << 20;

// What a task does that has not begun.
constexpr Step kStart{nullptr, Access::kNone, std::memory_order_relaxed, {}, 0};

std::uint64_t word_at(const Step& step) {
  switch (step.size) {
    case 1:
      return __atomic_load_n(static_cast<const std::uint8_t*>(step.address), 0);
    case 2:
      return __atomic_load_n(static_cast<const std::uint16_t*>(step.address), 0);
    case 4:
      return __atomic_load_n(static_cast<const std::uint32_t*>(step.address), 0);
    case 8:
      return __atomic_load_n(static_cast<const std::uint64_t*>(step.address), 0);
  }
  require(false, "a task waits for a word of 1, 2, 4 or 8 bytes");
  return 0;
}

}  // namespace

FiberRuntime::FiberRuntime(const Schedule& schedule, std::uint32_t steps_max)
    : strategy_(make_strategy(schedule)),
      plain_steps_(schedule.plain_steps),
      steps_max_(steps_max),
      switches_(steps_max + kTasksMax + 1),  // at most one for each step and each end
      choices_(steps_max) {}

void FiberRuntime::set_steps_max(std::uint32_t steps_max) {
  require(steps_max + kTasksMax < switches_.capacity(),
          "the limit of steps only falls");
  steps_max_ = steps_max;
}

Schedule FiberRuntime::recorded() const {
  Schedule schedule;
  schedule.strategy = StrategyKind::kReplay;
  const auto switches = switches_.entries();
  const auto choices = choices_.entries();
  schedule.plain_steps = took_plain_steps_;
  schedule.switches.assign(switches.begin(), switches.end());
  schedule.choices.assign(choices.begin(), choices.end());
  return schedule;
}

// ---- A run --------------------------------------------------------------------------

void FiberRuntime::run(RunState& run, std::span<const FunctionRef<void()>> bodies) {
  require(current() == nullptr, "a run does not start inside a task");
  require(bodies.size() <= kTasksMax, "a run has at most kTasksMax tasks");
  if (bodies.empty()) return;
  RunState* const outer = set_current_run(&run);
  sanitizer_reports::Watch reports(run);
  reports_ = &reports;
  begin(run, bodies);
  sanitizers::release(&start_edge_);
  const int first = decide(tasks_[0]);
  set_current(&tasks_[first]);
  pool_->thread().switch_to(pool_->fiber(first));
  set_current(nullptr);
  sanitizers::acquire(&join_edge_);
  reports.collect();
  set_current_run(outer);
}

void FiberRuntime::begin(RunState& run, std::span<const FunctionRef<void()>> bodies) {
  const int count = static_cast<int>(bodies.size());
  run_ = &run;
  bodies_ = bodies;
  pool_ = &FiberPool::of_thread();
  pool_->prepare(count, &FiberRuntime::live, this);
  exceptions_.bind_thread();
  switches_.clear();
  choices_.clear();
  steps_ = 0;
  unfinished_ = bit(count) - 1;
  waiting_ = parked_ = unparked_early_ = 0;
  waits_of_leavers_ = 0;
  took_plain_steps_ = false;
  plain_accesses_of_leavers_ = 0;
  scene_ = {};
  scene_.tasks = count;
  scene_.runnable = unfinished_;
  due_ = UINT32_MAX;
  if (run.weak_memory) {
    if (buffers_ == nullptr) buffers_ = std::make_unique<StoreBuffers>(*this);
    buffers_->begin_run(run);
  }
  for (int id = 0; id < count; ++id) {
    Task* const task = new (&tasks_[id]) Task;  // trivially destructible: made anew
    task->id = id;
    task->runtime = this;
    task->run = &run;
    task->sites = run.sites;
    task->weak = run.weak_memory ? buffers_.get() : nullptr;
    scene_.pending[id] = &kStart;
    choices_made_[id] = 0;
  }
  strategy_->begin_run(count);
  if (observer_ != nullptr) observer_->on_run(run);
}

Fiber& FiberRuntime::live(void* runtime, int index) {
  auto& self = *static_cast<FiberRuntime*>(runtime);
  sanitizers::acquire(&self.start_edge_);
  self.run_body(self.tasks_[index]);
  Fiber& next = self.end(self.tasks_[index]);
  sanitizers::release(&self.join_edge_);
  return next;
}

void FiberRuntime::run_body(Task& self) {
  if (run_->over()) return;
  execute(self, kStart);
  try {
    bodies_[static_cast<std::size_t>(self.id)]();
    if (self.weak != nullptr) settle(self, std::source_location::current());
    collect_report();
    LockChecker::at_task_end(self);
  } catch (const RunOver& over) {
    if (over.reporter) run_->set_reporter(self.id, self.steps);
  } catch (...) {
    require(false, "no exception but RunOver leaves the body of a task");
  }
}

// Ends `self`; returns the fiber to go on with.
Fiber& FiberRuntime::end(Task& self) {
  if (self.weak != nullptr) buffers_->drop(self);  // of a run that is over
  unfinished_ &= ~bit(self.id);
  scene_.runnable &= ~bit(self.id);
  scene_.pending[self.id] = nullptr;
  int next = kNobody;
  if (unfinished_ != 0 && !run_->over()) {
    next = decide(self);
    if (next == kNobody) record_deadlock();
  }
  if (next == kNobody) next = next_unfinished(self);  // of a run that is over
  set_current(next == kNobody ? nullptr : &tasks_[next]);
  return next == kNobody ? pool_->thread() : pool_->fiber(next);
}

// ---- A step -------------------------------------------------------------------------

inline void FiberRuntime::check_alive(const Step& step) {
  if (run_->live == nullptr || !run_->live->is_dead(step.address)) [[likely]]
    return;
  use_after_free(step);
}

void FiberRuntime::step(Task& self, const Step& where) {
  if (inert(self)) [[unlikely]]
    return;
  if (steps_ >= steps_max_) [[unlikely]]
    no_progress();
  scene_.pending[self.id] = &where;
  const int next = decide(self);
  if (next != self.id) resume(self, next);
  execute(self, where);
}

void FiberRuntime::step_when_written(Task& self, const Step& where) {
  if (inert(self)) [[unlikely]]
    return let_others_end(self);
  if (steps_ >= steps_max_) [[unlikely]]
    no_progress();
  check_alive(where);
  if (self.weak != nullptr) [[unlikely]] {
    buffers_->drain(self);
    if (buffers_->unseen(self, where)) {
      step(self, where);
      return buffers_->close_window(self);
    }
  }
  scene_.pending[self.id] = &where;
  seen_[self.id] = word_at(where);
  if (where.address != self.announced) self.side_effects = true;
  waiting_ |= bit(self.id);
  wait(self);
  execute(self, where);
  if (self.weak != nullptr) [[unlikely]]
    buffers_->close_window(self);
}

void FiberRuntime::park(Task& self, std::source_location where) {
  if (inert(self)) [[unlikely]]
    return let_others_end(self);
  if (steps_ >= steps_max_) [[unlikely]]
    no_progress();
  if (self.weak != nullptr) [[unlikely]]
    settle(self, where);
  const Step sleep{nullptr, Access::kNone, std::memory_order_relaxed, where, 0};
  scene_.pending[self.id] = &sleep;
  self.side_effects = true;  // whether it sleeps depends on who has woken it
  if ((unparked_early_ & bit(self.id)) != 0) {
    unparked_early_ &= ~bit(self.id);
  } else {
    parked_ |= bit(self.id);
    wait(self);
  }
  execute(self, sleep);
  if (self.weak != nullptr) [[unlikely]]
    buffers_->close_window(self);
}

void FiberRuntime::unpark(Task& task) {
  note_side_effects();
  if ((parked_ & bit(task.id)) == 0) {
    unparked_early_ |= bit(task.id);
    return;
  }
  parked_ &= ~bit(task.id);
  scene_.runnable |= bit(task.id);
}

std::uint64_t FiberRuntime::choose(Task& self, std::uint64_t limit) {
  require(limit > 0, "a choice is among at least one value");
  if (run_->over()) return 0;
  const std::uint32_t index = choices_made_[self.id]++;
  const std::uint64_t value = strategy_->choose(self.id, index, limit);
  require(value < limit, "a strategy chooses a value below the limit");
  return record(self, index, value);
}

std::uint64_t FiberRuntime::choose_rarely(Task& self, std::uint64_t most) {
  if (run_->over()) return 0;
  const std::uint32_t index = choices_made_[self.id]++;
  const std::uint64_t value = strategy_->choose_rarely(self.id, index, most);
  require(value <= most, "a strategy chooses a value up to the most");
  return record(self, index, value);
}

std::uint64_t FiberRuntime::record(Task& self, std::uint32_t index,
                                   std::uint64_t value) {
  if (value == 0) return 0;
  if (!choices_.push({static_cast<std::uint8_t>(self.id), index, value})) no_progress();
  return value;
}

void FiberRuntime::settle(Task& self, std::source_location where) {
  if (!buffers_->holds_any(self)) return;
  step(self, {nullptr, Access::kNone, std::memory_order_relaxed, where, 0});
  buffers_->drain(self);
}

// Returns who goes on at this step of `self`, or kNobody; records what differs from the
// fixed rule.  A task that has always been alone is not asked about.
int FiberRuntime::decide(Task& self) {
  if (waiting_ != 0) wake_whose_word_changed();
  if (scene_.runnable == 0) return kNobody;
  if (scene_.tasks == 1) return 0;
  if (self.side_effects || self.weak != nullptr) [[unlikely]]
    tell_side_effects(self);
  scene_.running = self.id;
  scene_.step = self.steps;
  const int next = strategy_->next(scene_);
  require(scene_.can_run(next), "a strategy takes a task that can run");
  if (next != scene_.by_rule()) {
    switches_.push({static_cast<std::uint8_t>(self.id), self.steps,
                    static_cast<std::uint8_t>(next)});
  }
  return next;
}

// A late store may be made, and an old value may show, at any step of any task.
void FiberRuntime::tell_side_effects(Task& self) {
  self.side_effects = false;
  strategy_->on_side_effects(self.id);
}

// Lets others run until `self` can again.  Its pending step and what it waits for
// stand.
void FiberRuntime::wait(Task& self) {
  scene_.runnable &= ~bit(self.id);
  const int next = decide(self);
  if (next == kNobody) {
    record_deadlock();
    leave(self);
  }
  if (next != self.id) resume(self, next);
}

// Goes on with `next` instead of `self`, which returns when it is resumed itself.
inline void FiberRuntime::resume(const Task& self, int next) {
  set_current(&tasks_[next]);
  pool_->fiber(self.id).switch_to(pool_->fiber(next));
  if (run_->over()) [[unlikely]]
    leave(tasks_[self.id]);
}

// `self` makes its step now.
inline void FiberRuntime::execute(Task& self, const Step& step) {
  check_alive(step);
  account(self, step);
}

void FiberRuntime::account(Task& self, const Step& step) {
  self.announced = step.address;
  self.at = step.where;
  if (++steps_ >= due_) [[unlikely]]
    due_ = buffers_->drain_due(steps_);
  strategy_->on_executed(scene_, self.id, step);
  if (observer_ != nullptr) [[unlikely]]
    observer_->on_step(self, step);
  ++self.steps;
}

// By value, not by who wrote: a failed compare-and-exchange does not make two spinning
// tasks wake each other for ever, and a write that was no step is noticed all the same.
void FiberRuntime::wake_whose_word_changed() {
  for (Mask rest = waiting_; rest != 0; rest &= rest - 1) {
    const int task = std::countr_zero(rest);
    const Step& step = *scene_.pending[task];
    const bool dead = run_->live != nullptr && run_->live->is_dead(step.address);
    if (!dead && word_at(step) == seen_[task]) continue;
    waiting_ &= ~bit(task);
    scene_.runnable |= bit(task);
  }
}

// ---- The end of a run that has a finding --------------------------------------------

// Returns whether a step of `self` does nothing: an exception is on its way, and
// destructors call.  Throws if the run is over and `self` does not know yet.
inline bool FiberRuntime::inert(Task& self) {
  if (!run_->over() && !reports_->pending() && !exceptions_.any()) [[likely]]
    return false;
  if (!exceptions_.any()) {
    collect_report();
    leave(self);
  }
  self.unwinding = run_->over();
  return true;
}

// Makes a finding of what a sanitizer reported since the last step, if anything.
void FiberRuntime::collect_report() {
  if (reports_->pending() && reports_->collect()) throw RunOver{.reporter = true};
}

void FiberRuntime::leave(Task& self) {
  self.unwinding = true;
  if (self.weak != nullptr) buffers_->drain(self);
  throw RunOver{};
}

// A destructor waits: perhaps for what a task holds that has not unwound yet.
void FiberRuntime::let_others_end(const Task& self) {
  require(run_->over(), "a task does not wait while it handles an exception");
  require(++waits_of_leavers_ < kWaitsOfLeaversMax,
          "a wait in a destructor ends once the other tasks have ended");
  const int next = next_unfinished(self);
  if (next == kNobody) return;
  const ExceptionsInFlight::State mine = exceptions_.take();
  set_current(&tasks_[next]);
  pool_->fiber(self.id).switch_to(pool_->fiber(next));
  exceptions_.restore(mine);
}

// Returns the task after `self`, in a circle, that has not ended, or kNobody.
int FiberRuntime::next_unfinished(const Task& self) const {
  const Mask others = unfinished_ & ~bit(self.id);
  if (others == 0) return kNobody;
  const Mask later = others & ~(bit(self.id + 1) - 1);
  return std::countr_zero(later != 0 ? later : others);
}

}  // namespace racier
