// core/program/ops_notifier.h - ops of devices that translate addresses themselves.
#pragma once
#include "core/program/places.h"

namespace racier::program::ops {

Outcome mmu_notifier_register(Run& run, NewSecondary result, ProcessRef process,
                              NotifierFlavour flavour);
Outcome mmu_notifier_unregister(Run& run, SecondaryRef secondary);
// (The addresses are those of the process that it was registered for.)
Outcome secondary_read(Run& run, SecondaryRef secondary, WordInMapping place);
Outcome secondary_write(Run& run, SecondaryRef secondary, WordInMapping place);

}  // namespace racier::program::ops
