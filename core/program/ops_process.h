// core/program/ops_process.h - the birth and the death of processes.
#pragma once
#include "core/program/run.h"

namespace racier::program::ops {

Outcome process(Run& run, NewProcess result);
Outcome fork(Run& run, NewProcess result, ProcessRef parent);
Outcome clone(Run& run, NewProcess result, ProcessRef process);
// Gives again if nobody can end the child: all other lists of calls have ended, or wait
// likewise.
Outcome vfork_wait(Run& run, ProcessRef child);
Outcome vfork(Run& run, NewProcess result, ProcessRef process);
Outcome exit(Run& run, ProcessRef process);
Outcome kthread(Run& run, NewProcess result);
Outcome kill(Run& run, ProcessRef process);
// Refused (inval) if the process was not killed.
Outcome mrelease(Run& run, ProcessRef process);
Outcome coredump(Run& run, ProcessRef process);
// Gives srch for a kernel thread, whatever it works in, and who has no address space.
Outcome proc_maps(Run& run, ProcessRef process);

}  // namespace racier::program::ops
