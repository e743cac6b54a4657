// repro/schedule_of_run.h - the schedule under which a run shows again what it has shown.
#pragma once
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"

namespace racier::repro {

// Returns what the tasks of the last run on `runtime` did; none, if the set-up ended the
// run: what the runtime has recorded then is of a run before, of another program perhaps.
inline Schedule schedule_of_run(const program::RunResult& result,
                                const FiberRuntime& runtime) {
  return result.phase == program::Phase::kSetup ? Schedule{} : runtime.recorded();
}

}  // namespace racier::repro
