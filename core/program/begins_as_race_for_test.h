// core/program/begins_as_race_for_test.h - bugs that ThreadSanitizer sees early.
#pragma once
#include <algorithm>
#include <iterator>

#include "core/base/bug.h"
#include "core/base/finding.h"
#include "core/runtime/sanitizers.h"

namespace racier::program {

// Returns whether a run with `bugs` may have ended as the data race `kind`, before it
// is the use after free that they are: nothing orders that something is taken off its
// list, freed, or filled with zeroes against what others do with it.
inline bool ended_as_race(const BugSet& bugs, FindingKind kind) {
  constexpr Bug kBeginAsRaces[] = {Bug::kReaperVsExitMmap, Bug::kCoredumpVsMmget,
                                   Bug::kMmlistNextFirst,
                                   Bug::kPmdPopulatedBeforeZeroes};
  return sanitizers::tsan() && kind == FindingKind::kDataRace &&
         std::any_of(std::begin(kBeginAsRaces), std::end(kBeginAsRaces),
                     [&](Bug bug) { return bugs.has(bug); });
}

}  // namespace racier::program
