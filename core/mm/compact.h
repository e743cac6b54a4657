// core/mm/compact.h - makes room at the high end of memory.
//
// Kernel: mm/compaction.c, v2.6.35, turned round: its free pages come from the end.
#pragma once
#include "core/objects/machine.h"

namespace racier {

// Moves up to `pages` pages from the highest frames to the lowest free ones, until the
// two meet; returns how many it moved.  What is pinned, being freed, or no page of
// users, stays.
// Context: may sleep.
int compact_memory(Machine& m, int pages);

}  // namespace racier
