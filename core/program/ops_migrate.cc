// core/program/ops_migrate.cc - ops that move pages to other frames.
// Tested by corpus/programs.
#include "core/program/ops_migrate.h"

#include "core/mm/compact.h"
#include "core/mm/migrate.h"
#include "core/mm/page_alloc.h"
#include "core/program/mapped_page.h"

namespace racier::program::ops {
namespace {

// Kernel: do_move_page_to_node_array(), the step for a page.
Status move_page(Machine& m, Page& page) {
  Page* const fresh = alloc_page(m, Gfp::kKernel);
  bool active = false;
  const bool isolated = fresh != nullptr && isolate_lru_page(m, page, active);
  put_page(m, page);  // what found it; the isolation has one of its own
  if (isolated) return racier::migrate_page(m, page, active, *fresh);
  if (fresh == nullptr) return Status::kNoMemory;
  put_page(m, *fresh);
  return Status::kBusy;
}

}  // namespace

// The process may end meanwhile, as it may under compaction.
Outcome migrate_page(Run& run, ProcessRef process, PageInMapping place) {
  Page* page = nullptr;
  const Outcome found = run.at(process, [&](Mm& mm) {
    page = mapped_page(run, mm, place);
    return Outcome::skipped();
  });
  return page == nullptr ? found : Outcome::of(move_page(run.machine(), *page));
}

Outcome compact(Run& run, PageCount pages) {
  const int moved = compact_memory(run.machine(), static_cast<int>(pages.value));
  return Outcome::of_value(static_cast<std::uint64_t>(moved));
}

}  // namespace racier::program::ops
