// repro/thread_hunter.h - is a bug found by plain threads, and how soon?
//
// What stress does (stress/round_runner.h), of the one program of a row: round after
// round on threads of the host, which schedules them as it likes, with the jitter that
// stress uses; whatever the audits and the sanitizer of the build see is a finding.
// The memory is the host's, whatever the program says of it.
#pragma once
#include "repro/hunter.h"

namespace racier::repro {

// Hunts for `row` in `program`, likewise; an execution is a round.  With a finding
// where nothing is armed there is no search: the audits cannot judge this program.
// All rounds are in children: one that dies, or hangs, is a finding of its own, and
// the next one goes on behind it.  Throws CannotRun.  Context: no other threads.
Hunted hunt_on_threads(const program::Program& program, const bug::Row& row,
                       const HuntLimits& limits,
                       const std::function<void(const Hunted&)>& tell);

}  // namespace racier::repro
