// core/mm/proc.h - those who look at the address space of somebody else.
//
// Kernel: fs/proc/task_mmu.c, v2.6.10.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Returns how many pages the address space of `task` maps, as a reader of
// /proc/pid/maps adds them up.
// Errors: kNoProcess (it has none of its own).  Context: may sleep.
Result<std::uint64_t> proc_mapped_pages(Machine& m, TaskStruct& task);

}  // namespace racier
