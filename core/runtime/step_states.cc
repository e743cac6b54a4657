// core/runtime/step_states.cc - looks at words and locks between steps.
//
// A step is told before it is made, and until the next one nobody else runs: what is
// different there was done by it, or by what its task did behind it.  Tested by
// step_states_test.cc.
#include "core/runtime/step_states.h"

namespace racier {
namespace {

bool same(const HeldLock& one, const HeldLock& other) {
  return one.lock == other.lock && one.lock_class == other.lock_class &&
         one.hold == other.hold;
}

bool is_among(const HeldLock& lock, const HeldLock* locks, int count) {
  for (int i = 0; i < count; ++i) {
    if (same(lock, locks[i])) return true;
  }
  return false;
}

}  // namespace

// Reads the word of a step; false: it has none, or one of another size.
bool StepStates::read(const Step& step, std::uint64_t& value) const {
  if (step.address == nullptr || step.size == 0) return false;
  if (live_ != nullptr) {
    const std::ptrdiff_t offset = live_->offset_of(step.address);
    if (offset >= 0 && static_cast<std::size_t>(offset) >= memory_size_) return false;
    if (live_->is_dead(step.address)) return false;
  }
  const auto misplaced = reinterpret_cast<std::uintptr_t>(step.address) % step.size;
  if (misplaced != 0) return false;
  switch (step.size) {
    case 1:
      value = __atomic_load_n(static_cast<const std::uint8_t*>(step.address), 0);
      return true;
    case 2:
      value = __atomic_load_n(static_cast<const std::uint16_t*>(step.address), 0);
      return true;
    case 4:
      value = __atomic_load_n(static_cast<const std::uint32_t*>(step.address), 0);
      return true;
    case 8:
      value = __atomic_load_n(static_cast<const std::uint64_t*>(step.address), 0);
      return true;
    default:
      return false;
  }
}

void StepStates::on_run(const RunState& run) {
  live_ = run.live;
  states_.clear();
  changes_.clear();
  for (Held& held : held_) {
    held.count = 0;
    held.last_step = -1;
  }
  dead_word_ = nullptr;
  died_at_ = -1;
  watched_is_dead_ =
      live_ != nullptr && watched_ != nullptr && live_->is_dead(watched_);
}

void StepStates::look_at_watched() {
  if (live_ == nullptr || watched_ == nullptr) return;
  const bool dead = live_->is_dead(watched_);
  if (dead && !watched_is_dead_) {
    died_at_ = static_cast<std::int64_t>(states_.size()) - 1;
  }
  watched_is_dead_ = dead;
}

void StepStates::look_behind() {
  look_at_watched();
  if (states_.empty()) return;
  StepState& last = states_.back();
  last.has_after = read(last_, last.after);
}

// Notes what `task` has done to its locks since it was seen last.
void StepStates::note_locks(const Task& task) {
  Held& held = held_[static_cast<std::size_t>(task.id)];
  const auto step = static_cast<std::uint32_t>(held.last_step < 0 ? 0 : held.last_step);
  for (int i = 0; i < held.count; ++i) {
    const HeldLock& lock = held.locks[static_cast<std::size_t>(i)];
    if (!is_among(lock, task.held.data(), task.held_count)) {
      changes_.push({step, false, lock});
    }
  }
  for (int i = 0; i < task.held_count; ++i) {
    const HeldLock& lock = task.held[static_cast<std::size_t>(i)];
    if (!is_among(lock, held.locks.data(), held.count)) {
      changes_.push({step, true, lock});
    }
  }
  for (int i = 0; i < task.held_count; ++i) {
    held.locks[static_cast<std::size_t>(i)] = task.held[static_cast<std::size_t>(i)];
  }
  held.count = task.held_count;
}

void StepStates::on_step(const Task& task, const Step& step) {
  look_behind();
  note_locks(task);
  StepState state;
  state.has_before = read(step, state.before);
  state.wanted = task.wanted;
  state.preempt_count = task.preempt_count;
  state.rcu_nesting = task.rcu_nesting;
  held_[static_cast<std::size_t>(task.id)].last_step =
      static_cast<std::int64_t>(states_.size());
  states_.push(state);
  last_ = step;
}

void StepStates::on_dead(const Task& task, const Step& step) {
  look_behind();
  note_locks(task);
  dead_word_ = step.address;
}

void StepStates::finish() { look_behind(); }

void StepStates::finish(const Task& task) { note_locks(task); }

}  // namespace racier
