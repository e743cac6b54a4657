// core/runtime/feedback.cc - see feedback.h.  Tested by feedback_test.cc.
#include "core/runtime/feedback.h"

#include "core/base/random.h"

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

void Feedback::on_run(const RunState&) {
  ++run_;
  words_ = 0;
}

Feedback::Write& Feedback::place_of(const void* address) {
  const auto name = reinterpret_cast<std::uintptr_t>(address);
  std::size_t at = Random::mixed(name) % kPlaces;
  while (writes_[at].run == run_ && writes_[at].address != address) {
    at = (at + 1) % kPlaces;
  }
  return writes_[at];
}

void Feedback::on_step(const Task& task, const Step& step) {
  if (step.address == nullptr) return;
  Write& last = place_of(step.address);
  const std::uint32_t line = line_of(step);
  const bool known = last.run == run_;
  if (known && step.access != Access::kWrite) {
    const std::uint64_t pair = std::uint64_t{last.line} << 32 | line << 1 |
                               static_cast<std::uint64_t>(last.task == task.id);
    std::uint8_t& counter = counters_[Random::mixed(pair) & (counters_.size() - 1)];
    if (counter != 255) ++counter;
  }
  if (step.access == Access::kRead) return;
  if (!known && words_ == kWordsMax) return;
  if (!known) ++words_;
  last = {step.address, run_, line, task.id};
}

}  // namespace racier
