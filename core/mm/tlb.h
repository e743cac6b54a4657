// core/mm/tlb.h - whose TLB is flushed, and what a CPU does that switches mms.
//
// With flush=all a flush goes to every CPU, as if all of them ran the mm.  With
// flush=cpumask it goes to those that have the mm loaded and are not lazy.  Each flush
// raises a number of the mm's; a CPU that may have missed one, as it had loaded another
// mm or was lazy, compares it with its own when it comes back, and flushes for itself.
// What it has of an mm until then it does not use: no walk is speculative here, so even
// tables may be freed behind its back (the kernel interrupts the lazy then).
//
// Kernel: arch/x86/mm/tlb.c, v4.20: mm_cpumask(); tlb_gen since 4.14 (f39681ed0f48,
// Lutomirski); lazy mode as 145f573b89a6 (van Riel) has it.
#pragma once
#include <source_location>

#include "core/objects/machine.h"

namespace racier {

// Has `cpu`, the caller's own, run user code of `next`, to which the caller has a
// reference: from here on flushes reach it, and it has missed none.
// Kernel: switch_mm_irqs_off().
void switch_mm(Machine& m, Mm& next, int cpu);
// The caller's CPU runs something that has no address space of its own, and keeps the
// one that it has loaded.  Kernel: enter_lazy_tlb().
void enter_lazy_tlb(Machine& m, int cpu);
// Takes `mm`, which nobody uses any more, away from each CPU that has it loaded still.
// Kernel: shoot_lazy_tlbs(), v6.4, in place of a reference of each CPU's.
void shoot_lazy_tlbs(Machine& m, Mm& mm);

// Removes the translations of a page, of a range, of all of `mm`, as Mmu promises.
// Context: any.
void flush_tlb_range(Machine& m, Mm& mm, VirtRange range,
                     std::source_location where = std::source_location::current());
void flush_tlb_page(Machine& m, Mm& mm, VirtAddr addr,
                    std::source_location where = std::source_location::current());
void flush_tlb_mm(Machine& m, Mm& mm,
                  std::source_location where = std::source_location::current());

// Begins a flush of `mm` that is put off, behind the change of the pte.  Returns whom
// it has to reach.  Kernel: arch_tlbbatch_add_mm().
CpuSet put_off_flush(Machine& m, Mm& mm);
// Ends it.  The mm may have ended.  Kernel: arch_tlbbatch_flush().
void flush_tlb_put_off(Machine& m, const MmuContext& context, CpuSet cpus);

}  // namespace racier
