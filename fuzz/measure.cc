// fuzz/measure.cc - see measure.h.  Tested by program_fuzz_test.sh.
#include "fuzz/measure.h"

#include <cstdio>

namespace racier::fuzz {

double Measure::rate_since(Clock::time_point begin) const {
  return times_ / std::chrono::duration<double>(Clock::now() - begin).count();
}

std::optional<std::string> Measure::note(std::span<const std::uint8_t> input) {
  if (seen_++ < kWarmUp) {
    begin_ = Clock::now();
    return std::nullopt;
  }
  inputs_.emplace_back(input.begin(), input.end());
  if (inputs_.size() < times_) return std::nullopt;
  const double with = rate_since(begin_);
  const Clock::time_point begin = Clock::now();
  for (const auto& again : inputs_) run_(again);
  const double without = rate_since(begin);
  char line[128];
  std::snprintf(line, sizeof line,
                "measured: %.0f executions/s, %.0f executions/s without libFuzzer\n",
                with, without);
  return line;
}

}  // namespace racier::fuzz
