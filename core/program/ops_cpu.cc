// core/program/ops_cpu.cc - ops that switch what a CPU runs.
// Tested by corpus/programs.
#include "core/program/ops_cpu.h"

#include "core/base/require.h"
#include "core/mm/tlb.h"

namespace racier::program::ops {

// The CPU that it leaves has nothing to run; the other one loads the address space when
// the task first uses it.  Kernel: migration_cpu_stop(), context_switch().
Outcome sched_setaffinity(Run& run, CpuNo cpu) {
  const int from = run.cpu();
  const int to = static_cast<int>(cpu.value);
  require(current()->preempt_count == 0, "who cannot be preempted is not moved");
  if (to == from) return Outcome::of(Status::kOk);
  if (!run.variables().take_cpu(to)) return Outcome::of(Status::kBusy);
  enter_lazy_tlb(run.machine(), from);
  run.set_cpu(to);
  run.variables().leave_cpu(from);
  return Outcome::of(Status::kOk);
}

Outcome idle(Run& run) {
  enter_lazy_tlb(run.machine(), run.cpu());
  return Outcome::of(Status::kOk);
}

}  // namespace racier::program::ops
