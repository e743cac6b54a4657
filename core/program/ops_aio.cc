// core/program/ops_aio.cc - ops that have kernel threads work in a process's memory.
// Tested by corpus/programs.
#include "core/program/ops_aio.h"

#include "core/mm/aio.h"

namespace racier::program::ops {
namespace {

// What is stored is what the call that asks for it would store, and gives.
Outcome submit(Run& run, ProcessRef process, WordInMapping place, bool store) {
  return run.in(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr) return Outcome::skipped();
    const std::uint64_t value = run.store_value(mm);
    const Status status = aio_submit(run.machine(), mm, *addr, store, value);
    if (status != Status::kOk || !store) return Outcome::of(status);
    return Outcome::of_value(value);
  });
}

}  // namespace

Outcome aio_read(Run& run, ProcessRef process, WordInMapping place) {
  return submit(run, process, place, true);
}

Outcome aio_write(Run& run, ProcessRef process, WordInMapping place) {
  return submit(run, process, place, false);
}

Outcome aio_run(Run& run, ProcessRef kthread) {
  return run.with_task(kthread, [&](TaskStruct& task) {
    const Status started = start_kthread(task);
    if (started == Status::kNoProcess) return Outcome::skipped();
    if (started != Status::kOk) return Outcome::of(started);
    const UserResult result = racier::aio_run(run.machine(), task, run.cpu());
    stop_kthread(task);
    return Outcome::of(result);
  });
}

}  // namespace racier::program::ops
