// core/sync/runtime.h - the port: what the locks need from the world they run in.
//
// Two worlds implement it (core/runtime): native threads, and fibers on one OS thread
// whose every switch a strategy decides.  All locks are written once, over these few
// functions.
#pragma once
#include <atomic>
#include <cstdint>
#include <source_location>
#include <span>

#include "core/base/function_ref.h"
#include "core/base/run_state.h"

namespace racier {

struct Task;

// What a step is about to do to its address.  kNone: nothing; a task starts or goes to
// sleep.
enum class Access : std::uint8_t { kRead, kWrite, kRmw, kNone };

// A point in front of a shared access: another task may run before the access is made.
// A task's steps are counted from 0: its start, then its accesses, waits and sleeps.
struct Step {
  const void* address;
  Access access;
  std::memory_order order;
  std::source_location where;
  std::uint8_t size = sizeof(void*);  // bytes of the word at `address`; 1, 2, 4 or 8
  const void* pc = nullptr;           // of a plain access: behind it, instead of `where`
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  // Runs each body as a task of its own, numbered from 0, to its end; returns when all
  // have ended.  A body ends early, by an exception that the runtime throws and
  // catches, once the run has a finding: its locks are released on the way and no
  // further step is taken.  Deadlock and no progress become findings of `run`.
  // Context: outside of any task.
  virtual void run(RunState& run, std::span<const FunctionRef<void()>> bodies) = 0;

  // Lets another task run before the caller makes the access `where`.
  // Throws RunOver if the run is over, but never while an exception is in flight: then
  // it does nothing (and the two calls below let the others end first, so that a wait
  // in a destructor comes to an end).
  virtual void step(Task& self, const Step& where) = 0;

  // Like step(), in front of an access to shared memory that is not atomic; only where
  // the compiler was asked for it (core/runtime/plain_steps.h).  Never throws.
  virtual void plain_step([[maybe_unused]] Task& self,
                          [[maybe_unused]] const Step& where) {}

  // Like step(), for a task that found the word at `where` unsuitable and will look at
  // it again: it need not run before the word has another value.
  virtual void step_when_written(Task& self, const Step& where) = 0;

  // Sleeps until unpark(self); returns at once if one came since the last park.
  // Context: may sleep.  Throws like step().
  virtual void park(Task& self, std::source_location where) = 0;
  // Wakes `task`, or makes its next park return at once.  Never throws.
  virtual void unpark(Task& task) = 0;

  // Returns a number below `limit`, 0 by default: the only source of nondeterminism.
  virtual std::uint64_t choose(Task& self, std::uint64_t limit) = 0;

  // Task `index` of the current run.
  virtual Task& task(int index) = 0;
  // How many tasks the current run has.
  virtual int tasks() const = 0;
};

}  // namespace racier
