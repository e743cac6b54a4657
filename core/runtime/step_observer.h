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
};

}  // namespace racier
