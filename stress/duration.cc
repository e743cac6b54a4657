// stress/duration.cc - reads and prints durations.  Tested by duration_test.cc.
#include "stress/duration.h"

#include <charconv>

namespace racier::stress {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kMax = 3650 * kDay;

// Returns the seconds of a unit, or 0.
std::int64_t seconds_of(std::string_view unit) {
  if (unit.empty() || unit == "s") return 1;
  if (unit == "m") return kMinute;
  if (unit == "h") return kHour;
  return unit == "d" ? kDay : 0;
}

}  // namespace

std::optional<std::chrono::seconds> parse_duration(std::string_view word) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.begin(), word.end(), number);
  if (error != std::errc()) return std::nullopt;
  const std::int64_t unit = seconds_of({end, word.end()});
  if (unit == 0 || number > static_cast<std::uint64_t>(kMax / unit)) {
    return std::nullopt;
  }
  return std::chrono::seconds(static_cast<std::int64_t>(number) * unit);
}

std::string print_duration(std::chrono::seconds duration) {
  std::int64_t rest = duration.count();
  std::string text;
  const auto part = [&](std::int64_t unit, const char* name) {
    if (rest < unit) return;
    if (!text.empty()) text += ' ';
    text += std::to_string(rest / unit) + name;
    rest %= unit;
  };
  part(kDay, "d");
  part(kHour, "h");
  part(kMinute, "m");
  part(1, "s");
  return text.empty() ? "0s" : text;
}

}  // namespace racier::stress
