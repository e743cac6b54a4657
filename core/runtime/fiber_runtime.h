// core/runtime/fiber_runtime.h - tasks as fibers on one OS thread, switches decided.
//
// Start here: run() is a run from begin to end; step() is where everything happens.
#pragma once
#include <algorithm>
#include <array>
#include <memory>

#include "core/base/schedule.h"
#include "core/runtime/exceptions_in_flight.h"
#include "core/runtime/fiber.h"
#include "core/runtime/reserved_array.h"
#include "core/runtime/sanitizer_reports.h"
#include "core/runtime/step_observer.h"
#include "core/runtime/store_buffers.h"
#include "core/runtime/strategy.h"
#include "core/sync/runtime.h"
#include "core/sync/task.h"

namespace racier {

// Same bodies, same schedule: same steps, in every build.  Belongs to one OS thread; a
// run costs no system call, a step no allocation.
class FiberRuntime final : public Runtime {
 public:
  static constexpr std::uint32_t kStepsMax = 1 << 20;

  // A run of more than `steps_max` steps is the finding kNoProgress.
  explicit FiberRuntime(const Schedule& schedule = {},
                        std::uint32_t steps_max = kStepsMax);

  // Takes effect with the next run.
  void set_schedule(const Schedule& schedule) {
    strategy_ = make_strategy(schedule);
    plain_steps_ = schedule.plain_steps;
  }
  void set_strategy(std::unique_ptr<Strategy> strategy) {
    strategy_ = std::move(strategy);
  }
  // Who decides; between runs, a search calls its next_execution().
  Strategy& strategy() { return *strategy_; }
  // Below the limit of the constructor.
  void set_steps_max(std::uint32_t steps_max);
  // nullptr: nobody watches.
  void set_observer(StepObserver* observer) { observer_ = observer; }

  // The last run's decisions as a schedule of kind kReplay, whoever made them.
  Schedule recorded() const;
  // Steps of all tasks in the last run.
  std::uint32_t steps() const { return steps_; }

  void run(RunState& run, std::span<const FunctionRef<void()>> bodies) override;
  void step(Task& self, const Step& where) override;
  void plain_step(Task& self, const Step& where) override;
  void step_when_written(Task& self, const Step& where) override;
  void park(Task& self, std::source_location where) override;
  void unpark(Task& task) override;
  std::uint64_t choose(Task& self, std::uint64_t limit) override;
  // Returns 0 to `most`, and 0 in 7 of 10 cases if chance chooses.
  std::uint64_t choose_rarely(Task& self, std::uint64_t most);
  Task& task(int index) override { return tasks_[index]; }
  int tasks() const override { return scene_.tasks; }

  // For its StoreBuffers.  Makes all late stores of `self`; if there are any, others
  // may run before.
  void settle(Task& self, std::source_location where);
  // A store is due when so many steps have been made.
  void drain_by(std::uint32_t steps) { due_ = std::min(due_, steps); }

 private:
  using Mask = std::uint32_t;  // a set of tasks, bit t: task t
  static constexpr int kNobody = -1;
  static Mask bit(int task) { return Mask{1} << task; }

  void begin(RunState& run, std::span<const FunctionRef<void()>> bodies);
  static Fiber& live(void* runtime, int index);
  void run_body(Task& self);
  Fiber& end(Task& self);

  int decide(Task& self);
  void tell_side_effects(Task& self);
  void wait(Task& self);
  void resume(const Task& self, int next);
  void execute(Task& self, const Step& step);
  void account(Task& self, const Step& step);
  void wake_whose_word_changed();
  std::uint64_t record(Task& self, std::uint32_t index, std::uint64_t value);

  bool inert(Task& self);
  void collect_report();
  [[noreturn]] void leave(Task& self);
  void let_others_end(const Task& self);
  int next_unfinished(const Task& self) const;

  void check_alive(const Step& step);
  [[noreturn]] void use_after_free(const Step& step);
  [[noreturn]] void no_progress();
  void record_deadlock();

  std::unique_ptr<Strategy> strategy_;
  bool plain_steps_;
  std::uint32_t steps_max_;
  StepObserver* observer_ = nullptr;

  // The current run.
  RunState* run_ = nullptr;
  std::span<const FunctionRef<void()>> bodies_;
  FiberPool* pool_ = nullptr;
  sanitizer_reports::Watch* reports_ = nullptr;
  ExceptionsInFlight exceptions_;
  Scene scene_;
  std::uint32_t steps_ = 0;
  Mask unfinished_ = 0;
  Mask waiting_ = 0;  // for their word to change; what it was:
  std::array<std::uint64_t, kTasksMax> seen_{};
  Mask parked_ = 0;
  Mask unparked_early_ = 0;
  int waits_of_leavers_ = 0;
  bool took_plain_steps_ = false;
  int plain_accesses_of_leavers_ = 0;

  ReservedArray<Switch> switches_;
  ReservedArray<Choice> choices_;
  std::array<std::uint32_t, kTasksMax> choices_made_{};

  std::unique_ptr<StoreBuffers> buffers_;  // made for the first run that is weak
  std::uint32_t due_ = UINT32_MAX;         // steps at which some have to be drained

  std::array<Task, kTasksMax> tasks_;
  char start_edge_ = 0;  // addresses that name TSan's edges of a run
  char join_edge_ = 0;
};

}  // namespace racier
