// core/program/ops_pin.cc - ops that use pages behind their owner's back: devices and
// debuggers.
// Tested by corpus/programs.
#include "core/program/ops_pin.h"

#include "core/mm/gup.h"
#include "core/mm/page_alloc.h"

namespace racier::program::ops {
namespace {

std::uint64_t offset_of(WordNo word) { return word.value * sizeof(std::uint64_t); }

// Does `work` with the pinned page, and a reference of its own; skipped if there is
// none.
template <typename Work>
Outcome with_pin(Run& run, PinRef pin, Work work) {
  const PinnedPage pinned = run.get(pin);
  if (pinned.page == nullptr) return Outcome::skipped();
  const Outcome outcome = work(pinned);
  put_page(run.machine(), *pinned.page);
  return outcome;
}

}  // namespace

Outcome pin(Run& run, NewPin result, ProcessRef process, PageInMapping place,
            PinAccess access) {
  return run.in(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr) return Outcome::skipped();
    const Result<PinnedPage> pinned = get_user_page(
        run.machine(), mm, *addr, access.write() ? Gup::kWrite : Gup::kRead);
    if (!pinned) return Outcome::of(pinned.status());
    run.define(result, *pinned);
    return Outcome::of(Status::kOk);
  });
}

Outcome unpin(Run& run, PinRef pin) {
  const PinnedPage pinned = run.take(pin);
  if (pinned.page == nullptr) return Outcome::skipped();
  put_user_page(run.machine(), pinned);
  return Outcome::of(Status::kOk);
}

Outcome pin_read(Run& run, PinRef pin, WordNo word) {
  return with_pin(run, pin, [&](const PinnedPage& pinned) {
    return Outcome::of_value(load_pinned(run.machine(), pinned, offset_of(word)));
  });
}

Outcome pin_write(Run& run, PinRef pin, WordNo word) {
  return with_pin(run, pin, [&](const PinnedPage& pinned) {
    if (!pinned.write) return Outcome::of(Status::kInvalid);
    const std::uint64_t value = run.store_value_of(pinned.mm_id);
    store_pinned(run.machine(), pinned, offset_of(word), value);
    return Outcome::of_value(value);
  });
}

Outcome remote_read(Run& run, ProcessRef process, WordInMapping place) {
  return run.at(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr) return Outcome::skipped();
    const Result<std::uint64_t> value = read_process_vm(run.machine(), mm, *addr);
    return value ? Outcome::of_value(*value) : Outcome::of(value.status());
  });
}

Outcome remote_write(Run& run, ProcessRef process, WordInMapping place) {
  return run.at(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr) return Outcome::skipped();
    const std::uint64_t value = run.store_value(mm);
    const Status status = write_process_vm(run.machine(), mm, *addr, value);
    return status == Status::kOk ? Outcome::of_value(value) : Outcome::of(status);
  });
}

}  // namespace racier::program::ops
