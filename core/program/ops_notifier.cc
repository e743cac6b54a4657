// core/program/ops_notifier.cc - ops of devices that translate addresses themselves.
// Tested by corpus/programs/notifier_*.racier.
#include "core/program/ops_notifier.h"

#include "core/mm/secondary_mmu.h"

namespace racier::program::ops {
namespace {

// Does `work` with the secondary MMU, and a reference of its own; skipped if there is
// none.
template <typename Work>
Outcome with_secondary(Run& run, SecondaryRef secondary, Work work) {
  SecondaryMmu* const mmu = run.get(secondary);
  if (mmu == nullptr) return Outcome::skipped();
  const Outcome outcome = work(*mmu);
  secondary_mmu_put(run.machine(), *mmu);
  return outcome;
}

Outcome outcome_of(const Result<std::uint64_t>& value) {
  return value ? Outcome::of_value(*value) : Outcome::of(value.status());
}

}  // namespace

Outcome mmu_notifier_register(Run& run, NewSecondary result, ProcessRef process,
                              NotifierFlavour flavour) {
  return run.in(process, [&](Mm& mm) {
    const Result<SecondaryMmu*> mmu =
        secondary_mmu_create(run.machine(), mm, flavour.sleeping());
    if (!mmu) return Outcome::of(mmu.status());
    run.define(result, **mmu);
    return Outcome::of(Status::kOk);
  });
}

Outcome mmu_notifier_unregister(Run& run, SecondaryRef secondary) {
  SecondaryMmu* const mmu = run.take(secondary);
  if (mmu == nullptr) return Outcome::skipped();
  secondary_mmu_unregister(run.machine(), *mmu);
  secondary_mmu_put(run.machine(), *mmu);
  return Outcome::of(Status::kOk);
}

Outcome secondary_read(Run& run, SecondaryRef secondary, WordInMapping place) {
  return with_secondary(run, secondary, [&](SecondaryMmu& mmu) {
    const auto addr = place.address(run, mmu.mm);
    if (!addr) return Outcome::skipped();
    return outcome_of(secondary_read(run.machine(), mmu, *addr));
  });
}

Outcome secondary_write(Run& run, SecondaryRef secondary, WordInMapping place) {
  return with_secondary(run, secondary, [&](SecondaryMmu& mmu) {
    const auto addr = place.address(run, mmu.mm);
    if (!addr) return Outcome::skipped();
    const std::uint64_t value = run.store_value(mmu.mm);
    return outcome_of(secondary_write(run.machine(), mmu, *addr, value));
  });
}

}  // namespace racier::program::ops
