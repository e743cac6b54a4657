// core/program/ops_vma.cc - ops that move mappings, and let them grow.
// Tested by corpus/programs.
#include "core/program/ops_vma.h"

#include "core/mm/exec.h"
#include "core/mm/fault.h"
#include "core/mm/mmap.h"
#include "core/mm/mremap.h"

namespace racier::program::ops {
namespace {

// How many pages below a stack belong to its mapping.
constexpr std::uint64_t kRoomBelow = 4;

VirtRange with_room_below(VirtRange stack) {
  return {stack.start - (kRoomBelow << kPageShift), stack.end};
}

Outcome remap(Run& run, NewMapping result, Mm& mm, const MremapRequest& request) {
  const Result<VirtAddr> start = do_mremap(run.machine(), mm, request);
  if (!start) return Outcome::of(start.status());
  run.define(result, {*start, *start + (request.new_pages << kPageShift)});
  return Outcome::of_value(*start);
}

}  // namespace

template <typename Place>
Outcome mremap(Run& run, NewMapping result, ProcessRef process, Place place,
               PageCount old_pages, PageCount new_pages, Moving moving) {
  return run.in(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr) return Outcome::skipped();
    return remap(run, result, mm,
                 {.addr = *addr,
                  .old_pages = old_pages.value,
                  .new_pages = new_pages.value,
                  .may_move = moving.may_move(),
                  .dont_unmap = moving.dont_unmap()});
  });
}

template <typename Place>
Outcome mremap_over(Run& run, NewMapping result, ProcessRef process, Place from,
                    PageCount old_pages, PageCount new_pages, Place to) {
  return run.in(process, [&](Mm& mm) {
    const auto addr = from.address(run, mm);
    const auto new_addr = to.address(run, mm);
    if (!addr || !new_addr) return Outcome::skipped();
    return remap(run, result, mm,
                 {.addr = *addr,
                  .old_pages = old_pages.value,
                  .new_pages = new_pages.value,
                  .may_move = true,
                  .new_addr = *new_addr});
  });
}

Outcome mmap_growsdown(Run& run, NewMapping result, ProcessRef process, PageCount pages,
                       Protection protection) {
  return run.in(process, [&](Mm& mm) {
    const std::uint32_t vm_flags = static_cast<std::uint32_t>(protection.value);
    const Result<VirtAddr> start = do_mmap(
        run.machine(), mm, {.pages = pages.value, .vm_flags = vm_flags | kVmGrowsDown});
    if (!start) return Outcome::of(start.status());
    const VirtRange stack{*start, *start + (pages.value << kPageShift)};
    run.define(result, with_room_below(stack));
    return Outcome::of_value(*start);
  });
}

Outcome exec(Run& run, NewMapping result, ProcessRef process, PageCount arg_pages,
             HeapPages shift) {
  Machine& m = run.machine();
  const auto copy = [&](Mm& mm, VirtAddr at) {
    return user_access(m, mm, run.cpu(), at, UserAccess::kWrite, run.store_value(mm))
        .status;
  };
  AddressSpace* const program = run.file(FileRef{0});
  Mm* fresh = nullptr;
  VirtRange stack{0, 0};
  const Outcome outcome = run.in(process, [&](Mm&) {
    const Result<Mm*> made = exec_mm(m, {arg_pages.value, shift.value, program}, copy);
    if (!made) return Outcome::of(made.status());
    fresh = *made;
    const ReadGuard guard(fresh->mmap_sem);
    stack = fresh->vmas.last()->range();
    return Outcome::of_value(stack.start);
  });
  if (fresh == nullptr) return outcome;
  const Outcome replaced = run.with_task(process, [&](TaskStruct& task) {
    const Status status = exec_mmap(m, task, *fresh);
    return status == Status::kNoProcess ? Outcome::skipped() : Outcome::of(status);
  });
  if (!replaced.succeeded()) {
    mmput(m, *fresh);
    return replaced;
  }
  run.define(result, with_room_below(stack));
  return outcome;
}

template Outcome mremap(Run&, NewMapping, ProcessRef, PageInMapping, PageCount,
                        PageCount, Moving);
template Outcome mremap(Run&, NewMapping, ProcessRef, PageAt, PageCount, PageCount,
                        Moving);
template Outcome mremap_over(Run&, NewMapping, ProcessRef, PageInMapping, PageCount,
                             PageCount, PageInMapping);
template Outcome mremap_over(Run&, NewMapping, ProcessRef, PageAt, PageCount, PageCount,
                             PageAt);

}  // namespace racier::program::ops
