// core/program/ops_process.cc - the birth and the death of processes.
// Tested by corpus/programs.
#include "core/program/ops_process.h"

#include "core/mm/coredump.h"
#include "core/mm/oom.h"
#include "core/mm/proc.h"

namespace racier::program::ops {
namespace {

// Returns whether `task` was made, and may have ended since.
bool exists(TaskStruct& task) {
  const SpinGuard guard(task.task_lock);
  return task.mm.peek() != nullptr || task.is(TaskFlag::kExiting);
}

}  // namespace

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
    return Outcome::of(start_child(run.machine(), run.task_of(result), mm, **child));
  });
}

Outcome clone(Run& run, NewProcess result, ProcessRef process) {
  return run.in(process, [&](Mm& mm) {
    mmget(mm);
    return Outcome::of(start_child(run.machine(), run.task_of(result), mm, mm));
  });
}

Outcome vfork(Run& run, NewProcess result, ProcessRef process) {
  return run.in(process, [&](Mm& mm) {
    mmget(mm);
    begin_vfork(run.task_of(result));
    return Outcome::of(start_child(run.machine(), run.task_of(result), mm, mm));
  });
}

Outcome vfork_wait(Run& run, ProcessRef child) {
  Machine& m = run.machine();
  return run.with_task(child, [&](TaskStruct& task) {
    if (!exists(task)) return Outcome::skipped();
    return Outcome::of(run.variables().while_idle(m, [&](FunctionRef<bool()> hopeless) {
      return wait_for_vfork(m, task, hopeless);
    }));
  });
}

Outcome exit(Run& run, ProcessRef process) {
  Machine& m = run.machine();
  return run.with_task(process, [&](TaskStruct& task) {
    if (!task.is(TaskFlag::kKthread)) {
      return exit_mm(m, task) ? Outcome::of(Status::kOk) : Outcome::skipped();
    }
    const Status status = end_kthread(m, task);
    return status == Status::kNoProcess ? Outcome::skipped() : Outcome::of(status);
  });
}

Outcome kthread(Run& run, NewProcess result) {
  make_kthread(run.task_of(result));
  return Outcome::of(Status::kOk);
}

Outcome kill(Run& run, ProcessRef process) {
  return run.at(process, [&](Mm& mm) {
    kill_users(mm);
    return Outcome::of(Status::kOk);
  });
}

Outcome mrelease(Run& run, ProcessRef process) {
  return run.with_task(process, [&](TaskStruct& task) {
    const Status status = process_mrelease(run.machine(), task);
    return status == Status::kNoProcess ? Outcome::skipped() : Outcome::of(status);
  });
}

Outcome coredump(Run& run, ProcessRef process) {
  const Outcome outcome = run.in(process, [&](Mm& mm) {
    return Outcome::of_value(do_coredump(run.machine(), mm));
  });
  if (!outcome.succeeded()) return outcome;
  return run.with_task(process, [&](TaskStruct& task) {
    exit_killed(run.machine(), task);
    return outcome;
  });
}

Outcome proc_maps(Run& run, ProcessRef process) {
  return run.with_task(process, [&](TaskStruct& task) {
    const Result<std::uint64_t> pages = proc_mapped_pages(run.machine(), task);
    return pages ? Outcome::of_value(*pages) : Outcome::of(pages.status());
  });
}

}  // namespace racier::program::ops
