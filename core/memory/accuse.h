// core/memory/accuse.h - findings of code that is also called while a run is being
// unwound.
#pragma once
#include <source_location>
#include <string>

#include "core/base/finding.h"

namespace racier {

// Reports a finding.  Returns only if an exception is in flight already: the run is
// over, and what its unwinding does to memory that is about to be wiped is nobody's
// bug; the caller then does nothing.
void accuse(FindingKind kind, std::string title, std::string detail,
            std::source_location where = std::source_location::current());

}  // namespace racier
