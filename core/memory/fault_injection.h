// core/memory/fault_injection.h - makes allocations fail on demand.
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "core/sync/atomic.h"
#include "core/sync/task.h"

namespace racier {

// Returns whether this allocation of the running task is one to fail; counts it.
// Called once by each allocation that may fail, before anything is taken.
// Kernel: should_fail(), with /proc/self/fail-nth.
bool should_fail();

// Which allocations of a run fail: the `nth` of all (from 1; 0: none), and with
// `onwards` all behind it.
struct FailAlloc {
  std::uint32_t nth = 0;
  bool onwards = false;
  bool operator==(const FailAlloc&) const = default;
};

// The allocations of one run that fail besides those that `Task::fail_nth` names.  They
// are counted over all tasks, set-up and teardown included, in the order in which they
// are asked: on fibers the same in every run of a schedule.
class AllocFailures {
 public:
  static constexpr std::uint32_t kNoCall = ~0u;

  // An allocation, as whoever writes programs names it.
  struct Place {
    std::uint32_t call = kNoCall;  // of the program; kNoCall: none made it
    std::uint32_t nth = 0;         // among those of the call, from 1
  };

  // A new run.  `chosen`: besides, each of them may fail, if choose() says so three
  // times (0, the usual value, is no).  Context: no task is running.
  void begin(const FailAlloc& fail, bool chosen);
  // What `task` allocates from now on is for that call, or for none.
  void begin_call(int task, std::uint32_t call);

  // Counts an allocation of `self`, the running task; returns whether it fails.
  bool strikes(const Task& self);

  // Returns how many were asked.  At quiescence.
  std::uint32_t asked() const { return asked_.raw().load(std::memory_order_relaxed); }
  // Returns which one was the nth; nothing: there were not so many.  At quiescence.
  const std::optional<Place>& struck() const { return struck_; }

 private:
  FailAlloc fail_;
  bool chosen_ = false;
  Atomic<std::uint32_t> asked_{0};   // raw: no step
  std::array<Place, kTasksMax> at_;  // each its task's own: what it asked last
  std::optional<Place> struck_;      // by one task
};

}  // namespace racier
