// core/program/ops_process.h - the birth and the death of processes.
#pragma once
#include "core/program/run.h"

namespace racier::program::ops {

Outcome process(Run& run, NewProcess result);
Outcome fork(Run& run, NewProcess result, ProcessRef parent);
Outcome clone(Run& run, NewProcess result, ProcessRef process);
Outcome exit(Run& run, ProcessRef process);

}  // namespace racier::program::ops
