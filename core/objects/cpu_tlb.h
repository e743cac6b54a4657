// core/objects/cpu_tlb.h - which address space a CPU has loaded.
#pragma once
#include "core/base/thread_annotations.h"
#include "core/sync/atomic.h"
#include "core/sync/interlock.h"

namespace racier {

struct Mm;

// With flush=cpumask (core/mm/tlb.h) each CPU has one.  The CPU changes it itself; but
// who frees an mm takes that away from it.  Kernel: struct tlb_state, v4.20.
struct CpuTlb {
  // Stands for interrupts that are off.
  Interlock lock;
  // Null: none that has anything of a user's.
  Mm* loaded GUARDED_BY(lock) = nullptr;
  // It runs nothing of a user's for now, and need not be told of flushes.
  Atomic<bool> is_lazy{false};
};

}  // namespace racier
