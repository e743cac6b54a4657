// core/program/ops_vma.cc - ops that move mappings, and let them grow.
// Tested by corpus/programs.
#include "core/program/ops_vma.h"

#include "core/mm/mremap.h"

namespace racier::program::ops {
namespace {

Outcome remap(Run& run, NewMapping result, Mm& mm, const MremapRequest& request) {
  const Result<VirtAddr> start = do_mremap(run.machine(), mm, request);
  if (!start) return Outcome::of(start.status());
  run.define(result, {*start, *start + (request.new_pages << kPageShift)});
  return Outcome::of_value(*start);
}

}  // namespace

Outcome mremap(Run& run, NewMapping result, ProcessRef process, PageInMapping place,
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

Outcome mremap_over(Run& run, NewMapping result, ProcessRef process, PageInMapping from,
                    PageCount old_pages, PageCount new_pages, PageInMapping to) {
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

}  // namespace racier::program::ops
