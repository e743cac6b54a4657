// core/program/ops_access.h - ops that are user code: loads, stores, instructions.
#pragma once
#include "core/program/places.h"

namespace racier::program::ops {

template <typename Place>
Outcome read(Run& run, ProcessRef process, Place place);
template <typename Place>
Outcome write(Run& run, ProcessRef process, Place place);
template <typename Place>
Outcome add(Run& run, ProcessRef process, Place place);
template <typename Place>
Outcome fetch(Run& run, ProcessRef process, Place place);

}  // namespace racier::program::ops
