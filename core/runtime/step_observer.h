// core/runtime/step_observer.h - watches a run step by step.
#pragma once
#include "core/sync/task.h"

namespace racier {

// Called on the fiber of the task that it is told of, so an observer lives in this
// room: elsewhere ThreadSanitizer would take its notes for data that tasks share.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  virtual void on_run([[maybe_unused]] const RunState& run) {}
  // `task` makes `step` now; task.steps is its number.
  virtual void on_step(const Task& task, const Step& step) = 0;
  // `task` would have made `step`, but its word is dead: a use after free.
  virtual void on_dead([[maybe_unused]] const Task& task,
                       [[maybe_unused]] const Step& step) {}
};

// Tells two observers; either may be null.
class TwoObservers final : public StepObserver {
 public:
  TwoObservers(StepObserver* first, StepObserver* second)
      : first_(first), second_(second) {}
  void on_run(const RunState& run) override;
  void on_step(const Task& task, const Step& step) override;
  void on_dead(const Task& task, const Step& step) override;

 private:
  StepObserver* first_;
  StepObserver* second_;
};

}  // namespace racier
