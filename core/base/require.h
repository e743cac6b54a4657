// core/base/require.h - for our own mistakes: stops the process at once.
//
// What the *simulated kernel* must never do is an invariant (core/base/invariant.h),
// and breaking it is a finding.  What racier itself must never do is a require.
#pragma once
#include <source_location>

namespace racier {

[[noreturn]] void require_failed(const char* sentence, std::source_location where);

// Aborts with `sentence` and the place if `holds` is false.  On in every build.
inline void require(bool holds, const char* sentence,
                    std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]] require_failed(sentence, where);
}

}  // namespace racier
