// core/program/ops_swap.h - ops of whoever looks after swap areas.
#pragma once
#include "core/program/run.h"

namespace racier::program::ops {

Outcome swapon(Run& run, SwapAreaNo area, SwapPriority priority);
Outcome swapoff(Run& run, SwapAreaNo area);
Outcome interrupt_swapoff(Run& run, SwapAreaNo area);
Outcome lose_swap(Run& run, SwapAreaNo area);

}  // namespace racier::program::ops
