// repro/step_recorder.h - runs programs, and records their steps with all that is
// known.
#pragma once
#include <cstdint>

#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/interruptions.h"
#include "core/runtime/step_states.h"
#include "core/runtime/trace.h"
#include "repro/trace_text.h"

namespace racier::repro {

// Returns how to run no more than the tasks of a program: what they have is still
// there.
program::RunOptions tasks_only();
// Returns a program without its tasks.
program::Program set_up_of(program::Program program);

class StepRecorder {
 public:
  // For `program`, with and without its tasks, which make at most `steps` steps.
  StepRecorder(const program::Program& program, std::uint32_t steps);

  // The result is valid until the next run.
  const program::RunResult& run(const program::Program& program,
                                program::RunOptions options);

  FiberRuntime& runtime() { return runtime_; }
  Machine& machine() { return *runner_.machine(); }
  StepStates& states() { return states_; }

  // Of the last run.
  std::span<const TraceEntry> entries() const { return trace_.entries(); }
  const StepStates& states() const { return states_; }
  const CallLog& calls() const { return calls_; }
  // Returns whether `task` was left for another one behind its step number `step`
  // though it could have gone on.
  bool was_interrupted(int task, std::uint32_t step) const {
    return interruptions_->has(task, step + 1);
  }
  // Returns whether a task's body returned.
  bool came_to_its_end(int task) const;
  // Returns the lock that a task wanted in the end, unless it came to its own.
  const WantedLock* wanted_in_the_end(int task);

 private:
  explicit StepRecorder(std::uint32_t steps_max);

  FiberRuntime alone_;
  FiberRuntime runtime_;
  program::Runner runner_;
  Trace trace_;
  StepStates states_;
  TwoObservers both_{&trace_, &states_};
  CallLog calls_;
  const Interruptions* interruptions_ = nullptr;  // of the last run; the runtime's
  std::uint32_t unfinished_ = 0;  // tasks of the last run that were unwound: bit t
};

}  // namespace racier::repro
