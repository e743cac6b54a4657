// core/program/ops_aio.h - ops that have kernel threads work in a process's memory.
#pragma once
#include "core/program/places.h"

namespace racier::program::ops {

Outcome aio_read(Run& run, ProcessRef process, WordInMapping place);
Outcome aio_write(Run& run, ProcessRef process, WordInMapping place);
// Gives busy if somebody else runs the thread, and noent if there is no request.
Outcome aio_run(Run& run, ProcessRef kthread);

}  // namespace racier::program::ops
