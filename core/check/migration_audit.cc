// core/check/migration_audit.cc - a list of migration entries.
// Tested by migration_audit_test.cc.
#include "core/check/migration_audit.h"

#include <algorithm>
#include <string>

#include "core/check/complain.h"

namespace racier::check {

void MigrationAudit::added(Pfn pfn, std::uint32_t mm_id, VirtAddr addr) {
  entries_.push_back({pfn, mm_id, addr});
}

void MigrationAudit::removed(Pfn pfn, std::uint32_t mm_id, VirtAddr addr) {
  const auto of_frame = [&](const Entry& entry) { return entry.pfn == pfn; };
  auto at = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return of_frame(entry) && entry.mm_id == mm_id && entry.addr == addr;
  });
  if (at == entries_.end())
    at = std::find_if(entries_.begin(), entries_.end(), of_frame);
  if (at != entries_.end()) entries_.erase(at);
}

void MigrationAudit::ended(Pfn pfn) {
  const auto left = std::find_if(entries_.begin(), entries_.end(),
                                 [&](const Entry& entry) { return entry.pfn == pfn; });
  if (left == entries_.end()) return;
  complain(Inv::kMigrationEntryLeft, "pfn " + std::to_string(pfn) + ", mm " +
                                         std::to_string(left->mm_id) + " page " +
                                         std::to_string(left->addr >> kPageShift));
}

}  // namespace racier::check
