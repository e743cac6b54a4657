// repro/hunt_progress.cc - see hunt_progress.h.  Tested by cli_test.sh.
#include "repro/hunt_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

HuntProgress::HuntProgress(std::size_t count)
    : terminal_(::isatty(STDOUT_FILENO) == 1), begin_(Clock::now()), count_(count) {}

void HuntProgress::show() {
  if (!terminal_) return;
  std::string line = fmt::format("{} of {} in {:.0f} s:", done_, count_, seconds());
  for (const auto& [work, what] : running_) line += " " + what;
  constexpr std::size_t kColumns = 79;
  shown_ = true;
  fmt::print("\r\033[K{}", line.substr(0, kColumns));
  std::fflush(stdout);
}

void HuntProgress::clear() {
  if (shown_) fmt::print("\r\033[K");
  shown_ = false;
}

std::chrono::seconds limit_of(const HuntLimits& limits) {
  constexpr double kGrace = 60, kMost = 1e9;
  const double searches = static_cast<double>(limits.repeat) + 1;
  const double wanted =
      kGrace + searches * limits.search.time.count() + limits.minimize.count();
  return std::chrono::seconds(static_cast<std::int64_t>(std::min(wanted, kMost)));
}

std::string death_of(const ChildResult& result) {
  return result.late ? "it took too long" : result.death;
}

}  // namespace racier::repro
