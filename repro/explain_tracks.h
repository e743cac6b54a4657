// repro/explain_tracks.h - an explanation for Perfetto, and for chrome://tracing.
#pragma once
#include <string>

#include "repro/explanation.h"

namespace racier::repro {

// Returns JSON of the Trace Event Format: a track for each task with its calls and
// steps, a step a microsecond; holds of locks as asynchronous slices; counts; instants
// where the schedule switched and for the finding; flows from a store to the load that
// sees it, and from an unlock to the next lock.
std::string explain_tracks(const Explanation& explanation);

}  // namespace racier::repro
