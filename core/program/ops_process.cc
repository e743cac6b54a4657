// core/program/ops_process.cc - the birth and the death of processes.
// Tested by corpus/programs.
#include "core/program/ops_process.h"

namespace racier::program::ops {

Outcome process(Run& run, NewProcess result) {
  Mm* const mm = mm_create(run.machine());
  if (mm == nullptr) return Outcome::of(Status::kNoMemory);
  run.define(result, *mm);
  return Outcome::of(Status::kOk);
}

Outcome fork(Run& run, NewProcess result, ProcessRef parent) {
  return run.in(parent, [&](Mm& mm) {
    const Result<Mm*> child = dup_mm(run.machine(), mm);
    if (!child) return Outcome::of(child.status());
    run.define(result, **child);
    return Outcome::of(Status::kOk);
  });
}

Outcome clone(Run& run, NewProcess result, ProcessRef process) {
  return run.in(process, [&](Mm& mm) {
    mmget(mm);
    run.define(result, mm);
    return Outcome::of(Status::kOk);
  });
}

Outcome exit(Run& run, ProcessRef process) {
  Mm* const mm = run.take(process);
  if (mm == nullptr) return Outcome::skipped();
  mmput(run.machine(), *mm);
  return Outcome::of(Status::kOk);
}

}  // namespace racier::program::ops
