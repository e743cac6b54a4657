// repro/schedule_search.cc - see schedule_search.h.  Tested by hunter_test.cc.
#include "repro/schedule_search.h"

#include <fmt/format.h>

#include "repro/files.h"
#include "repro/schedule_of_run.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

const char* search_end_name(SearchEnd end) {
  constexpr const char* kNames[] = {"found", "executions", "time", "exhausted",
                                    "stopped"};
  static_assert(sizeof kNames / sizeof kNames[0] == kSearchEnds);
  return kNames[static_cast<int>(end)];
}

SearchEnd search_end_named(const std::string& name) {
  for (int i = 0; i < kSearchEnds; ++i) {
    const auto end = static_cast<SearchEnd>(i);
    if (name == search_end_name(end)) return end;
  }
  throw BadInput(fmt::format("no end of a search '{}'", name));
}

std::optional<SearchEnd> end_of(const SearchResult& search,
                                const SearchLimits& limits) {
  if (search.executions >= limits.executions) return SearchEnd::kExecutions;
  if (search.seconds >= limits.time.count()) return SearchEnd::kTime;
  if (stress::stop_requested()) return SearchEnd::kStopped;
  return std::nullopt;
}

SearchResult ScheduleSearch::search(const program::Program& program, std::uint64_t seed,
                                    const SearchLimits& limits, const Wanted& wanted,
                                    const program::RunOptions& options) {
  const auto begin = Clock::now();
  SearchResult search;
  search.seed = recipe_.seed = seed;
  runtime_.set_schedule(recipe_);
  for (;;) {
    search.seconds = seconds_since(begin);
    if (const auto end = end_of(search, limits)) {
      search.end = *end;
      break;
    }
    ++search.executions;
    const program::RunResult& result = runner_.run(program, runtime_, options);
    if (result.finding && wanted(*result.finding, schedule_of_run(result, runtime_))) {
      search.end = SearchEnd::kFound;
      search.kind = finding_kind_name(result.finding->kind);
      search.title = result.finding->title;
      schedule_ = schedule_of_run(result, runtime_);
      break;
    }
    search.end = SearchEnd::kExhausted;
    if (!runtime_.strategy().next_execution()) break;
  }
  search.seconds = seconds_since(begin);
  return search;
}

}  // namespace racier::repro
