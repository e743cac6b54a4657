// core/check/lru_audit.cc - LRU lists, the flags of their pages, their counts.  M2.
// Tested by auditor_test.cc.
#include "core/check/checks.h"

namespace racier::check {
namespace {

// A list that is longer than there are frames has a cycle.
std::int64_t check_list(const Audit& audit, List<Page, &Page::lru>& list, bool active) {
  std::int64_t length = 0;
  for (Page& page : list) {
    const bool linked =
        page.lru.next->prev == &page.lru && page.lru.prev->next == &page.lru;
    if (!linked || audit.m.frames.is_free(page.pfn) || !page.peek(PageFlag::kLru) ||
        page.peek(PageFlag::kActive) != active ||
        ++audit.found.use(page.pfn).on_lru > 1) {
      broken(Inv::kLruIsConsistent, std::string(active ? "active" : "inactive") +
                                        " list: " + describe(audit.m, page.pfn));
    }
    ++length;
  }
  return length;
}

// Every page that is mapped or cached can be found by reclaim, but the zero page.
void check_page(const Audit& audit, Pfn pfn) {
  const Page& page = audit.m.page(pfn);
  const FrameUse& use = audit.found.use(pfn);
  if (page.peek(PageFlag::kLru) != (use.on_lru > 0)) {
    broken(Inv::kLruIsConsistent, describe(audit.m, pfn));
  }
  if (use.ptes + use.caches > 0 && use.on_lru == 0 && !audit.m.is_zero_page(pfn)) {
    broken(Inv::kLruHasUsedPages, describe(audit.m, pfn));
  }
}

}  // namespace

void check_lru(const Audit& audit) NO_THREAD_SAFETY_ANALYSIS {
  Lru& lru = audit.m.lru;
  const std::int64_t active = check_list(audit, lru.active, true);
  const std::int64_t inactive = check_list(audit, lru.inactive, false);
  if (lru.nr_active != active) {
    broken(Inv::kLruCountsMatch, differs("nr_active", lru.nr_active, active));
  }
  if (lru.nr_inactive != inactive) {
    broken(Inv::kLruCountsMatch, differs("nr_inactive", lru.nr_inactive, inactive));
  }
  for (const Pfn pfn : audit.found.frames()) check_page(audit, pfn);
}

}  // namespace racier::check
