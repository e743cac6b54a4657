// core/runtime/strategy.h - who goes next?
//
// The fiber runtime asks a strategy at every step.  A strategy sees what every task is
// about to do and learns what was done; it holds no clock and no address of its own, so
// the same questions get the same answers.  One file each: run_to_block, random_walk,
// pos, pct, surw, reads_from, starvation, exhaustive, portfolio, replay, overridden.
// Add one: a file, a line in strategy.cc, a row in core/base/schedule.h.
//
// A strategy lives as long as a search, and each execution has a schedule of its own:
//
//   runtime.set_strategy(make_strategy(schedule));
//   do runtime.run(run, bodies);
//   while (!run.over() && runtime.strategy().next_execution());
//   runtime.recorded()  // replays the last run without the history that led to it
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <memory>

#include "core/base/schedule.h"
#include "core/sync/runtime.h"
#include "core/sync/task.h"

namespace racier {

// What there is to choose from, at one step of one task.
struct Scene {
  int tasks = 0;               // how many the run has
  int running = 0;             // the task that asks
  std::uint32_t step = 0;      // the number of its step
  std::uint32_t runnable = 0;  // bit t: task t can run; never all 0
  // What each task will do when it runs: its start, an access or the end of a sleep;
  // nullptr for one that has ended.
  std::array<const Step*, kTasksMax> pending{};

  bool can_run(int task) const { return (runnable >> task & 1) != 0; }
  int runnable_count() const { return std::popcount(runnable); }

  // Returns the `index`-th task (from 0) of those that can run.
  int nth_runnable(int index) const {
    std::uint32_t rest = runnable;
    for (; index > 0; --index) rest &= rest - 1;
    return std::countr_zero(rest);
  }
  // Returns whom the fixed rule of core/base/schedule.h takes.
  int by_rule() const {
    return can_run(running) ? running : std::countr_zero(runnable);
  }
};

// Returns whether the order of the two matters: they have a byte in common, and one of
// them writes.
inline bool conflict(const Step& a, const Step& b) {
  const std::uintptr_t distance = reinterpret_cast<std::uintptr_t>(b.address) -
                                  reinterpret_cast<std::uintptr_t>(a.address);
  if (distance >= a.size && 0 - distance >= b.size) [[likely]]
    return false;
  return a.address != nullptr && b.address != nullptr &&
         (a.access != Access::kRead || b.access != Access::kRead);
}

// Returns the one of `tasks` (bit t: task t; not 0) with the highest priority.
template <typename Priority>
int highest(std::uint32_t tasks, const std::array<Priority, kTasksMax>& priorities) {
  int best = std::countr_zero(tasks);
  for (std::uint32_t rest = tasks & (tasks - 1); rest != 0; rest &= rest - 1) {
    const int task = std::countr_zero(rest);
    if (priorities[task] > priorities[best]) best = task;
  }
  return best;
}

class Strategy {
 public:
  virtual ~Strategy() = default;

  // A run of `tasks` tasks begins; task 0 is the running one.  Two runs that begin the
  // same way, with no next_execution() in between, get the same answers.
  virtual void begin_run(int tasks) = 0;

  // Goes on to another schedule for the next run, which is of the same program; the
  // last one may have taught which.  Returns false if there is none that has not been
  // tried.
  virtual bool next_execution() = 0;

  // Returns the task that runs now, one that can.
  virtual int next(const Scene& scene) = 0;

  // `task` is about to do what it had pending.  Called after next(), before any other
  // call.
  virtual void on_executed([[maybe_unused]] const Scene& scene,
                           [[maybe_unused]] int task,
                           [[maybe_unused]] const Step& step) {}

  // What `task` has done since its last step, and will have done at its next, is more
  // than the step said (core/sync/task.h, note_side_effects()).  Called before next().
  virtual void on_side_effects([[maybe_unused]] int task) {}

  // Returns the value, below `limit`, of choice number `index` of `task`.
  virtual std::uint64_t choose([[maybe_unused]] int task,
                               [[maybe_unused]] std::uint32_t index,
                               [[maybe_unused]] std::uint64_t limit) {
    return 0;
  }

  // Likewise a value of at most `most`, and 0 in 7 of 10 cases.
  virtual std::uint64_t choose_rarely(int task, std::uint32_t index,
                                      std::uint64_t most) {
    const std::uint64_t value = choose(task, index, most * 10 / 3);
    return value <= most ? value : 0;
  }

  // How much has been tried, once next_execution() has returned false.
  enum class Tried : std::uint8_t { kSome, kWithinDepth, kAll };
  virtual Tried tried() const { return Tried::kSome; }

  // Returns how many entries of its lists did not apply in the last run: their place
  // never came, or what they ask could not be had.
  virtual std::uint32_t missed() const { return 0; }

  // Returns whether a run did not begin as one before with the same decisions: a defect
  // of the program's world, and nothing is known of what has been tried.
  virtual bool diverged() const { return false; }
};

// Returns the strategy that `schedule` describes, with its overrides.
std::unique_ptr<Strategy> make_strategy(const Schedule& schedule);

}  // namespace racier
