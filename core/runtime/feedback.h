// core/runtime/feedback.h - who read from whom, as counters that guide a fuzzer.
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

 private:
  static constexpr std::size_t kPlaces = 1 << 13;
  static constexpr std::size_t kWordsMax = kPlaces / 2;  // later words are not watched

  // The last write to a word in a run; of another run: a free place.
  struct Write {
    const void* address = nullptr;
    std::uint32_t run = 0;
    std::uint32_t line = 0;
    int task = 0;
  };
  // Returns the place of a word, its own or a free one: where it is depends on the
  // address, what comes of it does not.
  Write& place_of(const void* address);

  std::span<std::uint8_t> counters_;
  std::uint32_t run_ = 0;
  std::size_t words_ = 0;  // of this run
  std::array<Write, kPlaces> writes_{};
};

}  // namespace racier
