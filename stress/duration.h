// stress/duration.h - durations, as people write them: 90s, 10m, 8h, 2d, or plain
// seconds.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace racier::stress {

// Returns the duration that `word` stands for; nothing if it is none, or above ten
// years.
std::optional<std::chrono::seconds> parse_duration(std::string_view word);

// Returns "1h 2m 5s"; parts that are zero are left out.
std::string print_duration(std::chrono::seconds duration);

}  // namespace racier::stress
