// repro/clash.h - which steps of a run its finding is about.
#pragma once
#include <cstdint>
#include <span>

#include "core/runtime/trace.h"
#include "repro/explanation.h"

namespace racier::repro {

// Marks the steps of `explanation` that clash, and says in `clash`, `last_good` and
// `first_bad` why.  `entries` are its steps; `freed_by` is the one that
// freed what a use after free is about, below 0: nobody knows.
void find_clash(Explanation& explanation, std::span<const TraceEntry> entries,
                std::int64_t freed_by);

// Counts them, of tasks that tell something.
void count_switches(Explanation& explanation);

// Marks what is not to be folded away.
void mark_notable(Explanation& explanation);

// Says in `story` what happened, by turns.
void tell_story(Explanation& explanation);

// Returns "step 14, A in do_walk_anon (anon_vma_spin.cc:141)".
std::string step_title(const Explanation& explanation, int step);
// Likewise with what it does behind a colon.
std::string step_sentence(const Explanation& explanation, int step);

}  // namespace racier::repro
