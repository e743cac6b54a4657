// core/runtime/step_states.h - what stood around each step of a run: values, locks.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "core/base/live_map.h"
#include "core/runtime/reserved_array.h"
#include "core/runtime/step_observer.h"

namespace racier {

// Around one step.
struct StepState {
  std::uint64_t before = 0;  // what the word of the step holds when it is made
  std::uint64_t after = 0;   // and when the next step of any task is made
  bool has_before = false;   // it has such a word, and it is alive
  bool has_after = false;
  WantedLock wanted;  // the lock that the task had begun to wait for
  int preempt_count = 0;
  int rcu_nesting = 0;
};

// A lock that a task took or let go of between one of its steps and its next.
struct LockChange {
  std::uint32_t step;  // the one before: its number in the run
  bool taken;
  HeldLock lock;
};

// Records beside a Trace of the same run (TwoObservers) what that has no room for.
// Steps go by their number in the run, from 0.
class StepStates final : public StepObserver {
 public:
  explicit StepStates(std::size_t steps_max = 1 << 20)
      : states_(steps_max), changes_(steps_max) {}

  // Words from this offset of the region on are names that no memory is behind.
  void set_memory_size(std::size_t size) { memory_size_ = size; }

  void on_run(const RunState& run) override;
  void on_step(const Task& task, const Step& step) override;
  void on_dead(const Task& task, const Step& step) override;
  // To be called when a run has ended: what the last step left behind; and for each
  // task whose body came to its end, who let go of its locks.
  void finish();
  void finish(const Task& task);

  std::span<const StepState> states() const { return states_.entries(); }
  // By the number of the step.
  std::span<const LockChange> changes() const { return changes_.entries(); }

  // The word that a step found dead: the run ended there.  Null: none did.
  const void* dead_word() const { return dead_word_; }
  // From the next run on, looks out for the step that leaves the word at `address`
  // dead.
  void watch(const void* address) { watched_ = address; }
  // Returns the last step that did, or -1.
  std::int64_t died_at() const { return died_at_; }

 private:
  struct Held {
    std::array<HeldLock, kHeldLocksMax> locks;
    int count = 0;
    std::int64_t last_step = -1;  // of its task
  };

  bool read(const Step& step, std::uint64_t& value) const;
  void look_behind();
  void look_at_watched();
  void note_locks(const Task& task);

  const LiveMap* live_ = nullptr;
  std::size_t memory_size_ = ~std::size_t{0};
  ReservedArray<StepState> states_;
  ReservedArray<LockChange> changes_;
  std::array<Held, kTasksMax> held_{};
  Step last_{};
  const void* dead_word_ = nullptr;
  const void* watched_ = nullptr;
  bool watched_is_dead_ = false;
  std::int64_t died_at_ = -1;
};

}  // namespace racier
