// core/program/ops_access.cc - ops that are user code: loads, stores, instructions.
// Tested by corpus/programs.
#include "core/program/ops_access.h"

#include "core/mm/fault.h"

namespace racier::program::ops {
namespace {

template <typename Place>
Outcome access(Run& run, ProcessRef process, Place place, UserAccess access) {
  return run.in(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr) return Outcome::skipped();
    return Outcome::of(
        user_access(run.machine(), mm, run.cpu(), *addr, access, run.store_value(mm)));
  });
}

}  // namespace

template <typename Place>
Outcome read(Run& run, ProcessRef process, Place place) {
  return access(run, process, place, UserAccess::kRead);
}

template <typename Place>
Outcome write(Run& run, ProcessRef process, Place place) {
  return access(run, process, place, UserAccess::kWrite);
}

template <typename Place>
Outcome add(Run& run, ProcessRef process, Place place) {
  return access(run, process, place, UserAccess::kReadModifyWrite);
}

template <typename Place>
Outcome fetch(Run& run, ProcessRef process, Place place) {
  return access(run, process, place, UserAccess::kExecute);
}

template Outcome read(Run&, ProcessRef, WordInMapping);
template Outcome read(Run&, ProcessRef, WordAt);
template Outcome write(Run&, ProcessRef, WordInMapping);
template Outcome write(Run&, ProcessRef, WordAt);
template Outcome add(Run&, ProcessRef, WordInMapping);
template Outcome fetch(Run&, ProcessRef, WordInMapping);
template Outcome fetch(Run&, ProcessRef, WordAt);

}  // namespace racier::program::ops
