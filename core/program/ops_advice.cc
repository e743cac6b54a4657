// core/program/ops_advice.cc - ops by which a process says what it needs.
// Tested by corpus/programs.
#include "core/program/ops_advice.h"

#include "core/mm/madvise.h"

namespace racier::program::ops {
namespace {

// Does `verb` with the range of `pages` at `place`.
template <typename Verb>
Outcome with_range(Run& run, ProcessRef process, PageInMapping place, PageCount pages,
                   Verb verb) {
  return run.in(process, [&](Mm& mm) {
    const auto addr = place.address(run, mm);
    if (!addr) return Outcome::skipped();
    return Outcome::of(verb(mm, {*addr, *addr + (pages.value << kPageShift)}));
  });
}

}  // namespace

Outcome madvise(Run& run, ProcessRef process, PageInMapping place, PageCount pages,
                AdviceNo advice) {
  return with_range(run, process, place, pages, [&](Mm& mm, VirtRange range) {
    return do_madvise(run.machine(), mm, range, static_cast<Advice>(advice.value));
  });
}

Outcome mlock(Run& run, ProcessRef process, PageInMapping place, PageCount pages) {
  return with_range(run, process, place, pages, [&](Mm& mm, VirtRange range) {
    return do_mlock(run.machine(), mm, range);
  });
}

Outcome munlock(Run& run, ProcessRef process, PageInMapping place, PageCount pages) {
  return with_range(run, process, place, pages, [&](Mm& mm, VirtRange range) {
    return do_munlock(run.machine(), mm, range);
  });
}

}  // namespace racier::program::ops
