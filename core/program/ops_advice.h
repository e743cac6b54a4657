// core/program/ops_advice.h - ops by which a process says what it needs.
#pragma once
#include "core/program/places.h"

namespace racier::program::ops {

Outcome madvise(Run& run, ProcessRef process, PageInMapping place, PageCount pages,
                AdviceNo advice);
Outcome mlock(Run& run, ProcessRef process, PageInMapping place, PageCount pages);
Outcome munlock(Run& run, ProcessRef process, PageInMapping place, PageCount pages);

}  // namespace racier::program::ops
