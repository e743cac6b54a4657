// core/check/secondary_audit.cc - no secondary MMU can reach what the page tables do
// not allow, nor does one wait for the end of a change.  T2. Tested by auditor_test.cc.
#include "core/check/checks.h"
#include "core/objects/page_table.h"

namespace racier::check {
namespace {

std::string about(const Audit& audit, const SecondaryMmu& mmu,
                  const SecondaryMmu::Entry& entry) {
  return "mm " + std::to_string(mmu.mm.id) + " page " +
         std::to_string(entry.addr >> kPageShift) +
         (entry.writable ? " writable; " : "; ") + describe(audit.m, entry.pfn);
}

// Returns the pte that `entry` goes by; none if there is none any more.
Pte pte_of(const Audit& audit, const Mm& mm, const SecondaryMmu::Entry& entry) {
  if (mm.context.root == kNoPfn) return Pte();
  const PteSlot slot = find_pte(audit.m.frames, mm.context, entry.addr);
  return slot ? slot.peek() : Pte();
}

void check_mmu(const Audit& audit, const SecondaryMmu& mmu) NO_THREAD_SAFETY_ANALYSIS {
  if (mmu.mmu_notifier_count != 0 && !mmu.released) {
    broken(Inv::kSecondaryIsIdle,
           differs("mmu_notifier_count", mmu.mmu_notifier_count, 0));
  }
  for (const SecondaryMmu::Entry& entry : mmu.entries) {
    if (entry.addr == kUserEnd) continue;
    const Pte pte = pte_of(audit, mmu.mm, entry);
    const bool reads = pte.present() && pte.pfn() == entry.pfn;
    if (!reads || (entry.writable && !pte.writable())) {
      broken(Inv::kSecondaryWithinPte, about(audit, mmu, entry));
    }
  }
}

}  // namespace

void check_secondary(const Audit& audit) {
  audit.m.secondary_cache.for_each_live(
      [&](SecondaryMmu& mmu) { check_mmu(audit, mmu); });
}

}  // namespace racier::check
