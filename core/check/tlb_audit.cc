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

// Returns whether the CPU has to flush before it can use `entry`, and knows it.  With
// flush=cpumask; nobody has loaded an mm that is freed.
bool is_out_of_use(const Audit& audit, const TlbEntry& entry) {
  if (!audit.m.options().period.mm_cpumask) return false;
  const Mm* const mm = audit.found.mm_of(entry.asid);
  if (mm == nullptr) return true;
  const auto cpu = static_cast<std::size_t>(entry.cpu);
  const bool has_loaded = (mm->cpumask.peek() >> cpu & 1) != 0;
  const bool runs = has_loaded && !audit.m.cpus[cpu].is_lazy.peek();
  return !runs && mm->cpu_tlb_gen[cpu].peek() != mm->tlb_gen.peek();
}

void check_entry(const Audit& audit, const TlbEntry& entry) {
  if (is_out_of_use(audit, entry)) return;
  if (audit.m.frames.is_free(entry.pfn)) {
    broken(Inv::kTlbToLiveFrame, about(audit, entry));
  }
  const Pte pte = pte_of(audit, entry);
  const bool accessible = (pte.bits() & Pte::kPresent) != 0;
  if (!accessible || pte.pfn() != entry.pfn || (entry.writable && !pte.writable())) {
    broken(Inv::kTlbWithinPte, about(audit, entry));
  }
}

const Mm* loaded_on(const Audit& audit, std::size_t cpu) {
  CpuTlb& tlb = audit.m.cpus[cpu];
  const InterlockGuard guard(tlb.lock);
  return tlb.loaded;
}

void check_cpumasks(const Audit& audit) {
  CpuSet found = 0;
  for (const FoundMm& at : audit.found.mms()) {
    CpuSet loaded = 0;
    for (std::size_t cpu = 0; cpu < kCpusMax; ++cpu) {
      if (loaded_on(audit, cpu) == at.mm) loaded |= CpuSet{1} << cpu;
    }
    found |= loaded;
    if (at.mm->cpumask.peek() != loaded) {
      broken(Inv::kCpumaskIsWhoHasLoaded, "mm " + std::to_string(at.mm->id));
    }
  }
  for (std::size_t cpu = 0; cpu < kCpusMax; ++cpu) {
    if (loaded_on(audit, cpu) != nullptr && (found >> cpu & 1) == 0) {
      broken(Inv::kCpumaskIsWhoHasLoaded,
             "cpu " + std::to_string(cpu) + ": a freed mm");
    }
  }
}

}  // namespace

void check_tlb(const Audit& audit) {
  check_cpumasks(audit);
  audit.m.mmu->for_each_entry(
      [&audit](const TlbEntry& entry) { check_entry(audit, entry); });
}

}  // namespace racier::check
