// core/check/permissions.cc - no pte allows more than its vma, or its page, can stand.
// V3.
// Tested by auditor_test.cc.
#include "core/check/checks.h"

namespace racier::check {
namespace {

void check_rights(const Audit& audit, const FoundPte& found) {
  const Vma& vma = *found.vma;
  const bool accessible = (found.pte.bits() & Pte::kPresent) != 0;
  const bool none_allowed = (vma.vm_flags & kVmAccess) == 0;
  if ((accessible && none_allowed) || (found.pte.writable() && !vma.is(kVmWrite))) {
    broken(Inv::kPteWithinVmaRights, describe(audit.m, found));
  }
}

// A private page that may be written is nobody else's: not mapped twice, not in swap
// for somebody, not of a file, not the zero page.
void check_exclusive(const Audit& audit, const FoundPte& found) {
  if (!found.pte.writable() || found.vma->is(kVmShared)) return;
  const Page& page = audit.m.page(found.pte.pfn());
  const bool anon =
      (page.mapping.raw().load(std::memory_order_relaxed) & kPageMappingAnon) != 0;
  const SwapEntry entry{page.private_data.peek()};
  const bool in_swap = page.peek(PageFlag::kSwapCache) &&
                       audit.found.swap_ptes(audit.m.swap.index_of(entry)) > 0;
  if (!anon || audit.m.is_zero_page(page.pfn) || audit.found.use(page.pfn).ptes > 1 ||
      in_swap) {
    broken(Inv::kWritableIsExclusive, describe(audit.m, found));
  }
}

}  // namespace

void check_permissions(const Audit& audit) {
  for (const FoundPte& found : audit.found.ptes()) {
    // Nobody moves a page at rest.
    if (found.pte.is_migration())
      broken(Inv::kMigrationEntryLeft, describe(audit.m, found));
    if (!found.pte.present()) continue;
    check_rights(audit, found);
    check_exclusive(audit, found);
  }
}

}  // namespace racier::check
