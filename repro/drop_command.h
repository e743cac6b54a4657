// repro/drop_command.h - `racier-repro hunt --drop`: what is needed, and what is not.
#pragma once
#include "repro/hunt_options.h"

namespace racier::repro {

// Does what `options`, which has drops, asks for.  Returns the exit code: kClean, if
// all that is left out is caught.  Throws BadInput, CannotRun.
int hunt_drops(const HuntOptions& options);

}  // namespace racier::repro
