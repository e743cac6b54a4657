// core/mm/expand_stack.h - stacks that grow when what is below them is used.
// For mm/ only.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// The largest stack.  Kernel: RLIMIT_STACK, 8 MiB.
inline constexpr std::uint64_t kStackPagesMax = 12;
// What stays free between a stack and the vma below.  Kernel: stack_guard_gap, 1 MiB.
inline constexpr std::uint64_t kStackGuardGap = kPageSize;

// Returns where `vma` starts for others, who must keep their distance to a stack.
// Kernel: vm_start_gap().
VirtAddr vm_start_gap(const Vma& vma);

// Lets the stack whose vma is the next one above `addr` grow down to there; a fault can
// then be tried again.
// Errors: kFault: there is no stack, or it may not grow so far; kNoMemory.
// Context: may sleep; mmap_sem not held.  Kernel: expand_stack(), mm/mmap.c, v6.5.
Status expand_stack(Machine& m, Mm& mm, VirtAddr addr);

}  // namespace racier
