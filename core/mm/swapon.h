// core/mm/swapon.h - swap areas come into use, and go out of it.
//
// Kernel: sys_swapon(), sys_swapoff(), mm/swapfile.c, v2.6.9.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Puts area `type` in use: of those with free slots that of the highest priority hands
// them out.
// Errors: kInvalid (there is none of that number, or it has no slots); kBusy (it is in
// use); kNoMemory.
// Context: may sleep, but may be called outside of tasks.
Status do_swapon(Machine& m, std::uint32_t type, int priority);

// Takes it out of use, once everything that is in it is back.
// Errors: kInvalid (it is not in use, or somebody takes it out already); those of
// try_to_unuse(): it stays in use then.
// Context: may sleep.
Status do_swapoff(Machine& m, std::uint32_t type);

// Sends a signal to whoever takes area `type` out of use.
// Errors: kNoProcess (nobody does).
Status signal_swapoff(Machine& m, std::uint32_t type);

}  // namespace racier
