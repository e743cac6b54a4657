// core/program/ops_migrate.h - ops that move pages to other frames.
#pragma once
#include "core/program/places.h"

namespace racier::program::ops {

Outcome migrate_page(Run& run, ProcessRef process, PageInMapping place);
Outcome compact(Run& run, PageCount pages);

}  // namespace racier::program::ops
