// core/runtime/feedback.cc - see feedback.h.  Tested by feedback_test.cc.
#include "core/runtime/feedback.h"

#include <algorithm>

#include "core/base/random.h"
#include "core/sync/lock_checker.h"

namespace racier {
namespace {

// A line of the source, by its number and column: not unique among files, but no string
// is read; or the place of a plain access, in a program that is loaded anywhere.
std::uint32_t line_of(const Step& step) {
  if (step.pc == nullptr) return step.where.line() << 8 ^ step.where.column();
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(step.pc) -
                                    reinterpret_cast<std::uintptr_t>(&line_of));
}

}  // namespace

void Feedback::on_run(const RunState&) { ++run_; }

inline void Feedback::add(std::uint64_t what, std::uint32_t times) {
  std::uint8_t& counter = counters_[Random::mixed(what) & (counters_.size() - 1)];
  counter = static_cast<std::uint8_t>(std::min<std::uint32_t>(255, counter + times));
}

// Names of pairs of lines have lines in both halves; these have none in the upper one.
void Feedback::note_locks_and_marks(const RunState& run) {
  constexpr std::uint64_t kLocks = 1 << 16;
  if (run.lock_checker != nullptr) {
    run.lock_checker->for_each_order([this](std::uint8_t outer, std::uint8_t inner) {
      add(kLocks | std::uint64_t{outer} << 8 | inner, 1);
    });
  }
  for (std::size_t mark = 0; mark < kMarks; ++mark) {
    const std::uint32_t times = run.marks[mark].load(std::memory_order_relaxed);
    if (times != 0) add(2 * kLocks | mark, times);
  }
}

void Feedback::on_step(const Task& task, const Step& step) {
  if (step.address == nullptr) return;
  const auto name = reinterpret_cast<std::uintptr_t>(step.address);
  Write& last = writes_[(name >> 2 ^ name >> 14) % kWords];
  const std::uint32_t line = line_of(step);
  const bool known = last.run == run_ && last.address == step.address;
  if (known && step.access != Access::kWrite) {
    const std::uint64_t pair = std::uint64_t{last.line} << 32 | line << 1 |
                               static_cast<std::uint64_t>(last.task == task.id);
    add(pair, 1);
  }
  if (step.access != Access::kRead) last = {step.address, run_, line, task.id};
}

}  // namespace racier
