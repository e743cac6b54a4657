// repro/hunter.h - is a bug that racier carries found, and how soon?
//
// Takes the program of a row of the list of bugs without its schedule.  With nothing
// armed it must be clean; with the row armed a search must come to a finding of the
// row's kind.  That one is then made as small as it can be.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bug.h"
#include "core/program/program.h"
#include "repro/schedule_search.h"
#include "repro/smallest.h"

namespace racier::repro {

// Who looks for a bug.
enum class HuntEngine : std::uint8_t {
  kSchedules,  // a strategy, which chooses schedule after schedule
  kThreads,    // plain threads (thread_hunter.h)
  kLibfuzzer,  // libFuzzer with feedback (fuzz_hunter.h)
};
inline constexpr int kHuntEngines = static_cast<int>(HuntEngine::kLibfuzzer) + 1;
// Returns "schedules", "threads", "libfuzzer".
const char* hunt_engine_name(HuntEngine engine);
// The inverse.  Throws BadInput.
HuntEngine hunt_engine_named(const std::string& name);

struct HuntLimits {
  Schedule recipe;              // the strategy
  std::uint64_t seed = 1;       // of the first search
  std::uint64_t repeat = 1;     // so many searches, each with the next seed
  SearchLimits search;          // of each
  std::uint64_t clean = 1'000;  // executions with nothing armed
  std::uint32_t steps_max = FiberRuntime::kStepsMax;  // of an execution
  std::chrono::duration<double> minimize{10};         // to make it smaller; 0: do not
  std::uint64_t ordered = Minimizer::kOrdered;        // for that (minimizer.h)
};

// What came of the hunt for one row.
struct Hunted {
  SearchResult unarmed;  // found: a false alarm, or a bug that no row names
  std::vector<SearchResult> searches;
  std::uint64_t others = 0;  // findings of other kinds on the way
  std::string other;         // the signature of the first
  std::optional<Smallest> smallest;
  std::string death;  // how the hunter's process ended, if not in order

  bool clean() const { return !unarmed.found(); }
  // Returns how many searches found it.
  std::size_t found() const;
  // Returns the search in the middle, by executions, where what found nothing comes
  // last, of two middle ones the lower; nullptr: that one found nothing.
  const SearchResult* median() const;
  bool operator==(const Hunted&) const = default;
};

// Returns `program` as what is run in a hunt: it has no schedule, and expects nothing.
program::Program without_its_schedule(program::Program program);

// Returns whether a finding of `kind` is what the row promises.  (A build with
// ThreadSanitizer may see the data race with which it begins.)
bool is_shown_by(const bug::Row& row, FindingKind kind);

// Returns whether a process that ended so (ChildResult::death) has shown what the row
// promises: who follows a pointer into what is free may die of it before a detector
// speaks.
bool is_shown_by_death(const bug::Row& row, const std::string& death);

// Hunts for `row` in `program`.  Tells `tell` what there is after each stage, as the
// next may end the process.
Hunted hunt(const program::Program& program, const bug::Row& row,
            const HuntLimits& limits, const std::function<void(const Hunted&)>& tell);

}  // namespace racier::repro
