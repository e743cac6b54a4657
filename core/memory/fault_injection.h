// core/memory/fault_injection.h - makes allocations fail on demand.
#pragma once

namespace racier {

// Returns whether this allocation of the running task is the one to fail; counts it.
// Called once by each allocation that may fail, before anything is taken.
// Kernel: should_fail(), with /proc/self/fail-nth.
bool should_fail();

}  // namespace racier
