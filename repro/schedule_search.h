// repro/schedule_search.h - runs a program under schedule after schedule, until one
// shows what is wanted or a limit comes.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/program/program.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"

namespace racier::repro {

// How a search ended.
enum class SearchEnd : std::uint8_t {
  kFound,
  kExecutions,  // as many as it was allowed
  kTime,        // likewise
  kExhausted,   // the strategy has no other schedule
  kStopped,     // somebody did not want to wait
};
inline constexpr int kSearchEnds = static_cast<int>(SearchEnd::kStopped) + 1;
// Returns "found", "executions", ...: the name without its k.
const char* search_end_name(SearchEnd end);
// The inverse.  Throws BadInput.
SearchEnd search_end_named(const std::string& name);

struct SearchLimits {
  std::uint64_t executions = ~0ull;
  std::chrono::duration<double> time{1e9};
};

struct SearchResult {
  std::uint64_t seed = 0;
  std::uint64_t executions = 0;  // the one that was wanted is the last
  double seconds = 0;
  SearchEnd end = SearchEnd::kStopped;
  std::string kind;  // of the finding that was wanted
  std::string title;

  bool found() const { return end == SearchEnd::kFound; }
  bool operator==(const SearchResult&) const = default;
};

// Returns what ends a search that has come so far and has found nothing; nothing: it
// goes on.
std::optional<SearchEnd> end_of(const SearchResult& search, const SearchLimits& limits);

// One seed, and the same limit of executions: the same result, but for the seconds.
class ScheduleSearch {
 public:
  // Returns whether the finding, which the schedule shows, is what is looked for.
  using Wanted = std::function<bool(const Finding&, const Schedule&)>;

  // Each search begins with `recipe`, the strategy, and a seed of its own; an execution
  // of more than `steps_max` steps is a finding.
  ScheduleSearch(Schedule recipe, std::uint32_t steps_max)
      : recipe_(std::move(recipe)), runtime_({}, steps_max) {}

  // Goes on behind what is not wanted.
  SearchResult search(const program::Program& program, std::uint64_t seed,
                      const SearchLimits& limits, const Wanted& wanted,
                      const program::RunOptions& options = {});
  // That of the last search which found something.
  const Schedule& schedule() const { return schedule_; }

 private:
  Schedule recipe_;
  Schedule schedule_;
  FiberRuntime alone_;
  FiberRuntime runtime_;
  program::Runner runner_{alone_};
};

}  // namespace racier::repro
