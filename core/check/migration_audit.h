// core/check/migration_audit.h - did who moved a page find every migration entry again?
//
// Knows where the entries for each frame are, from what mm/ has told.  When a migration
// has ended, whether the page was moved or not, there may be none left: whoever met it
// would wait for nobody.
//
// Tested by migration_audit_test.cc.
#pragma once
#include <cstdint>
#include <vector>

#include "core/base/types.h"

namespace racier::check {

class MigrationAudit {
 public:
  // The pte at `addr` of mm `mm_id` names frame `pfn` in a migration entry, or does no
  // more.  One that was not added there was moved there from elsewhere.
  void added(Pfn pfn, std::uint32_t mm_id, VirtAddr addr);
  void removed(Pfn pfn, std::uint32_t mm_id, VirtAddr addr);
  // A finding if an entry for `pfn` is left.
  void ended(Pfn pfn);

  void reset() { entries_.clear(); }

 private:
  struct Entry {
    Pfn pfn;
    std::uint32_t mm_id;
    VirtAddr addr;
  };
  std::vector<Entry> entries_;  // a few: of pages that are on their way
};

}  // namespace racier::check
