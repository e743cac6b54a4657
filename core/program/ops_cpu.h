// core/program/ops_cpu.h - where a task runs.
#pragma once
#include "core/program/run.h"

namespace racier::program::ops {

// Gives busy if another task of the program runs there.
Outcome sched_setaffinity(Run& run, CpuNo cpu);
Outcome idle(Run& run);

}  // namespace racier::program::ops
