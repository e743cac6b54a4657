// core/program/ops_swap.cc - ops of whoever looks after swap areas.
// Tested by corpus/programs.
#include "core/program/ops_swap.h"

#include "core/mm/swapon.h"

namespace racier::program::ops {
namespace {

std::uint32_t number_of(SwapAreaNo area) {
  return static_cast<std::uint32_t>(area.value);
}

}  // namespace

Outcome swapon(Run& run, SwapAreaNo area, SwapPriority priority) {
  return Outcome::of(
      do_swapon(run.machine(), number_of(area), static_cast<int>(priority.value)));
}

Outcome swapoff(Run& run, SwapAreaNo area) {
  return Outcome::of(do_swapoff(run.machine(), number_of(area)));
}

Outcome interrupt_swapoff(Run& run, SwapAreaNo area) {
  return Outcome::of(signal_swapoff(run.machine(), number_of(area)));
}

Outcome lose_swap(Run& run, SwapAreaNo area) {
  SwapAreas& areas = run.machine().swap;
  if (area.value >= areas.count()) return Outcome::skipped();
  areas.info[area.value]->file.lose();
  return Outcome::of(Status::kOk);
}

}  // namespace racier::program::ops
