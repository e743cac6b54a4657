// core/runtime/trace.h - what a run did, step by step.
#pragma once
#include <cstdint>
#include <span>

#include "core/runtime/reserved_array.h"
#include "core/runtime/step_observer.h"

namespace racier {

struct TraceEntry {
  std::uint8_t task;
  std::uint32_t number;  // of the step, among the task's
  Step step;
};

// Records the steps of the run that it observes.
//   Trace trace;  runtime.set_observer(&trace);  runtime.run(...);  trace.hash()
class Trace final : public StepObserver {
 public:
  explicit Trace(std::size_t steps_max = 1 << 20) : entries_(steps_max) {}

  void on_run(const RunState& run) override;
  void on_step(const Task& task, const Step& step) override;

  // The steps in the order in which they were made.
  std::span<const TraceEntry> entries() const { return entries_.entries(); }

  // Returns a hash of who did what to which word from which line.  A word is named by
  // its place in the run's region, or by the order in which words outside were first
  // touched: so it is the same on every host and in every build.  Only while the
  // region's map lives.
  std::uint64_t hash() const;

  // Returns a hash of who did what to which word in which function.  Words go by the
  // order in which they were first touched.  So it is the same in every build, too, and
  // in every version in which the same is done: whatever moves lines, or objects,
  // leaves it alone.
  std::uint64_t outline() const;

 private:
  const LiveMap* region_ = nullptr;
  ReservedArray<TraceEntry> entries_;
};

}  // namespace racier
