// core/base/run_state.h - what one run carries: armed bugs, marks, and its finding.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "core/base/bug.h"
#include "core/base/finding.h"
#include "core/base/live_map.h"
#include "core/base/mark.h"

namespace racier {

class AllocFailures;
class LockChecker;
class Sites;

// One run.  Owned by whoever runs it; found by current_run() on every thread of the
// run.
struct RunState {
  BugSet bugs;
  std::array<std::atomic<std::uint32_t>, kMarks> marks{};
  // Memory whose use after free is a finding; may be null.
  const LiveMap* live = nullptr;
  // The run's lock order; null: locks are not checked.
  LockChecker* lock_checker = nullptr;
  // Allocations that fail; null: none but those that tasks name themselves.
  AllocFailures* alloc_failures = nullptr;
  Sites* sites = nullptr;    // what it does without; null: nothing
  bool weak_memory = false;  // fibers' stores may be late, and their loads old

  // Records the finding unless there is one; any thread.  Returns whether it was the
  // first.
  bool record(Finding finding);
  // Returns whether the run is over: a finding was recorded.  Any thread, no order.
  bool over() const { return over_.load(std::memory_order_relaxed); }
  // Returns the finding, if any.  Only when no other thread is running.
  const std::optional<Finding>& finding() const { return finding_; }
  // Adds who reported it.  Called by the task that did, once.
  void set_reporter(int task, std::uint32_t step) {
    finding_->task = task;
    finding_->step = step;
  }

  // Makes it as new, but for the fields above.
  void reset();

 private:
  std::atomic<bool> claimed_{false};
  std::atomic<bool> over_{false};
  std::optional<Finding> finding_;
};

// The run that this OS thread works for, or nullptr.
RunState* current_run();
// Returns whether there is a current run and it is over: what a destructor asks before
// it does more than release locks, because the task is being unwound and may not report
// again.
bool run_is_over();
// Makes `run` the current one of this OS thread; returns the one before.
RunState* set_current_run(RunState* run);

}  // namespace racier
