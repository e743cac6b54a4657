// fuzz/measure.h - what does libFuzzer cost?
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace racier::fuzz {

// Times inputs as they come from libFuzzer, and then the same inputs one after another.
class Measure {
 public:
  using Run = std::function<void(std::span<const std::uint8_t>)>;

  // Of `times` inputs, after some that are not counted.  `run` is what an input costs
  // without libFuzzer.
  Measure(std::uint32_t times, Run run) : times_(times), run_(std::move(run)) {}

  // To be called with each input, once it was run.  Returns the figures, a line, behind
  // the last.
  std::optional<std::string> note(std::span<const std::uint8_t> input);

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::uint32_t kWarmUp = 1000;

  double rate_since(Clock::time_point begin) const;

  std::uint32_t times_;
  Run run_;
  std::uint32_t seen_ = 0;
  Clock::time_point begin_;
  std::vector<std::vector<std::uint8_t>> inputs_;
};

}  // namespace racier::fuzz
