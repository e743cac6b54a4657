// core/runtime/feedback.h - what happened between tasks, as counters that guide a
// fuzzer.
#pragma once
#include <array>
#include <cstdint>
#include <source_location>
#include <span>

#include "core/runtime/step_observer.h"

namespace racier {

// Counts, for each step that reads a word that another step of the run wrote: the line
// of the write, the line of the read, and whether the same task made both.  A pair has
// one counter of `counters`, which others may share, the same in every process; it
// stops at 255.  (libFuzzer: __libfuzzer_extra_counters; whoever owns them clears
// them.)
class Feedback final : public StepObserver {
 public:
  // `counters` is a power of two of bytes.
  explicit Feedback(std::span<std::uint8_t> counters) : counters_(counters) {}

  void on_run(const RunState& run) override;
  void on_step(const Task& task, const Step& step) override;

  // Likewise counts, of a run that is over, each pair of lock classes of which one was
  // taken inside of the other, and the marks.
  void note_locks_and_marks(const RunState& run);

 private:
  static constexpr std::size_t kWords = 1 << 12;

  // The last write to a word; words that share a place displace each other.
  struct Write {
    const void* address = nullptr;
    std::uint32_t run = 0;
    std::uint32_t line = 0;
    int task = 0;
  };

  void add(std::uint64_t what, std::uint32_t times);

  std::span<std::uint8_t> counters_;
  std::uint32_t run_ = 0;
  std::array<Write, kWords> writes_{};
};

}  // namespace racier
