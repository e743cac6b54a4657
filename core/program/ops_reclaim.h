// core/program/ops_reclaim.h - ops that take pages away from who maps them, or ask
// about it.
#pragma once
#include "core/program/places.h"

namespace racier::program::ops {

Outcome page_referenced(Run& run, ProcessRef process, PageInMapping place);
Outcome unmap_page(Run& run, ProcessRef process, PageInMapping place);
Outcome reclaim(Run& run, PageCount pages);

}  // namespace racier::program::ops
