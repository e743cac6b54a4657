// core/mm/compact.cc - two scanners, which meet.
// Tested by compact_test.cc and corpus/programs/compact.racier.
#include "core/mm/compact.h"

#include "core/mm/migrate.h"
#include "core/mm/page_alloc.h"
#include "core/sync/context.h"

namespace racier {

int compact_memory(Machine& m, int pages) {
  might_sleep();
  int moved = 0;
  for (Pfn pfn = m.frames.frames(); pfn > 0 && moved < pages;) {
    --pfn;
    if (m.frames.is_free(pfn)) continue;
    Page& page = m.page(pfn);
    bool active = false;
    if (!isolate_lru_page(m, page, active)) continue;
    Page* const fresh = alloc_page_below(m, pfn);
    if (fresh == nullptr) {
      putback_lru_page(m, page, active);
      break;
    }
    if (migrate_page(m, page, active, *fresh) == Status::kOk) ++moved;
  }
  return moved;
}

}  // namespace racier
