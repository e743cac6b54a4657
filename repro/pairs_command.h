// repro/pairs_command.h - `racier-repro hunt --pairs`.
#pragma once
#include "repro/hunt_options.h"

namespace racier::repro {

// Returns the exit code.  Throws BadInput, CannotRun.
int hunt_pairs(const HuntOptions& options);

}  // namespace racier::repro
