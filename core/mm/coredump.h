// core/mm/coredump.h - writes down the memory of a process that dies.
//
// Kernel: fs/coredump.c, v5.8: dump_vma_snapshot(); before, the list of vmas was walked
// without a lock (fs/binfmt_elf.c).
#pragma once
#include "core/objects/machine.h"

namespace racier {

inline constexpr std::uint64_t kDumpedPagesMax = 16;  // of a vma

// Kills all whose address space `mm` is, and reads what it maps, the first pages of
// each vma; returns how many pages it could read.
// Context: may sleep; no lock is held; the caller has a user reference.  Kernel:
// do_coredump().
std::uint64_t do_coredump(Machine& m, Mm& mm);

}  // namespace racier
