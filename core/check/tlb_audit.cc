// core/check/tlb_audit.cc - no CPU can reach what the page tables do not allow.  T1.
// Tested by auditor_test.cc.
#include "core/check/checks.h"
#include "core/objects/page_table.h"

namespace racier::check {
namespace {

std::string about(const Audit& audit, const TlbEntry& entry) {
  return "cpu " + std::to_string(entry.cpu) + " asid " + std::to_string(entry.asid) +
         " page " + std::to_string(entry.addr >> kPageShift) +
         (entry.writable ? " writable; " : "; ") + describe(audit.m, entry.pfn);
}

// Returns the pte that `entry` is a copy of; none if there is none any more.
Pte pte_of(const Audit& audit, const TlbEntry& entry) {
  const Mm* const mm = audit.found.mm_of(entry.asid);
  if (mm == nullptr || mm->context.root == kNoPfn) return Pte();
  const PteSlot slot = find_pte(audit.m.frames, mm->context, entry.addr);
  return slot ? slot.peek() : Pte();
}

void check_entry(const Audit& audit, const TlbEntry& entry) {
  if (audit.m.frames.is_free(entry.pfn)) {
    broken(Inv::kTlbToLiveFrame, about(audit, entry));
  }
  const Pte pte = pte_of(audit, entry);
  const bool accessible = (pte.bits() & Pte::kPresent) != 0;
  if (!accessible || pte.pfn() != entry.pfn || (entry.writable && !pte.writable())) {
    broken(Inv::kTlbWithinPte, about(audit, entry));
  }
}

}  // namespace

void check_tlb(const Audit& audit) {
  audit.m.mmu->for_each_entry(
      [&audit](const TlbEntry& entry) { check_entry(audit, entry); });
}

}  // namespace racier::check
