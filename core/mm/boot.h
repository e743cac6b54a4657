// core/mm/boot.h - switches a machine on.
#pragma once
#include "core/objects/machine.h"

namespace racier {

// Makes a machine with the scheme that `options` names.
std::unique_ptr<Machine> make_machine(const MachineOptions& options);

// Makes `m` as new for `run`, whatever the last run left, and allocates the zero page.
// Context: no task of `m` is running.
void boot(Machine& m, RunState& run);
// Frees what boot() allocated, and what only the swap cache still keeps, so that a
// machine whose processes are gone has nothing left.
void shut_down(Machine& m);

}  // namespace racier
