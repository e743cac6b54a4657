// core/program/ops_reclaim.cc - ops that take pages away from who maps them, or ask
// about it.
// Tested by corpus/programs.
#include "core/program/ops_reclaim.h"

#include "core/mm/page_alloc.h"
#include "core/mm/reclaim.h"
#include "core/mm/swap.h"
#include "core/program/mapped_page.h"

namespace racier::program::ops {
namespace {

// Does `work` with the page at `place`, locked and with a reference; skipped if there
// is none.
template <typename Work>
Outcome with_page(Run& run, ProcessRef process, PageInMapping place, Work work) {
  Machine& m = run.machine();
  Page* page = nullptr;
  const Outcome found = run.at(process, [&](Mm& mm) {
    page = mapped_page(run, mm, place);
    return Outcome::skipped();
  });
  if (page == nullptr) return found;
  lock_page(m, *page);
  const Outcome outcome = work(*page);
  unlock_page(m, *page);
  put_page(m, *page);
  return outcome;
}

Status status_of(Unmap result) {
  switch (result) {
    case Unmap::kSuccess:
      return Status::kOk;
    case Unmap::kAgain:
      return Status::kAgain;
    case Unmap::kFail:
      return Status::kBusy;
  }
  return Status::kInvalid;
}

}  // namespace

Outcome page_referenced(Run& run, ProcessRef process, PageInMapping place) {
  return with_page(run, process, place, [&](Page& page) {
    const int count = racier::page_referenced(run.machine(), page);
    return Outcome::of_value(static_cast<std::uint64_t>(count));
  });
}

Outcome unmap_page(Run& run, ProcessRef process, PageInMapping place) {
  return with_page(run, process, place, [&](Page& page) {
    Machine& m = run.machine();
    const bool to_swap = page.is_anon() && !page.test(PageFlag::kSwapCache) &&
                         !page.test(PageFlag::kLazyFree);
    if (to_swap && !give_slot(m, page)) return Outcome::of(Status::kNoMemory);
    const Unmap result = try_to_unmap(m, page);
    // Nobody will ever ask for the slot again if the page lost its ptes in another way.
    if (page.test(PageFlag::kSwapCache)) remove_exclusive_swap_page(m, page);
    return Outcome::of(status_of(result));
  });
}

Outcome reclaim(Run& run, PageCount pages) {
  const int freed = shrink_lru(run.machine(), static_cast<int>(pages.value));
  return Outcome::of_value(static_cast<std::uint64_t>(freed));
}

}  // namespace racier::program::ops
