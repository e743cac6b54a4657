// core/mm/gather.h - frees pages only when no CPU can reach them any more.
//
// Kernel: struct mmu_gather, asm-generic/tlb.h, v2.6.9.
#pragma once
#include <array>

#include "core/objects/machine.h"

namespace racier {

// Collects pages and page tables that were unmapped from one mm; flushes the TLBs before it
// frees them.  Context: atomic, from begin to end, as in its time (per-CPU area).
class MmuGather {
 public:
  MmuGather(Machine& m, Mm& mm) : m_(m), mm_(mm) {}
  ~MmuGather() noexcept(false);  // flushes and frees what is left
  MmuGather(const MmuGather&) = delete;
  MmuGather& operator=(const MmuGather&) = delete;

  // Takes over one reference to `page`, whose pte at `addr` is gone.
  void remove_page(Page& page, VirtAddr addr);
  // Takes over a page-table frame that is no longer in the tables.
  void remove_table(Pfn table);
  // Notes that a pte was changed at `addr` without a page to free.
  void note(VirtAddr addr);

 private:
  void flush();
  static constexpr int kPagesMax = 64;
  Machine& m_;
  Mm& mm_;
  std::array<Page*, kPagesMax> pages_{};
  int count_ = 0;
  VirtRange range_{kUserEnd, 0};
};

}  // namespace racier
