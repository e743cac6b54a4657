// core/mm/gather.h - frees pages only when no CPU can reach them any more.
//
// Kernel: struct mmu_gather, asm-generic/tlb.h, v2.6.9.
#pragma once
#include <array>

#include "core/objects/machine.h"
#include "core/sync/context.h"

namespace racier {

// Collects pages and page tables that were unmapped from one mm; flushes the TLBs
// before it frees them, and where tables are walked under RCU alone
// (lookup=kamezawa) frees those behind a grace period.  Context: atomic, from begin to
// end, unless the machine's gathers can be preempted (MachineOptions::gather).
class MmuGather {
 public:
  MmuGather(Machine& m, Mm& mm);
  ~MmuGather() noexcept(false);  // flushes and frees what is left
  MmuGather(const MmuGather&) = delete;
  MmuGather& operator=(const MmuGather&) = delete;

  // Takes over one reference to `page`, whose pte at `addr` is gone.
  void remove_page(Page& page, VirtAddr addr);
  // Takes over a page-table frame that is no longer in the tables.
  void remove_table(Pfn table);
  // Notes that a pte was changed at `addr` without a page to free.
  void note(VirtAddr addr);
  // Flushes, and frees what there is so far.  Kernel: tlb_flush_mmu().
  void flush();

 private:
  // Keeps the task in atomic context, if such is the machine.
  class Context {
   public:
    explicit Context(const Machine& m)
        : atomic_(m.options().period.gather == GatherContext::kAtomic) {
      if (atomic_) preempt_disable();
    }
    ~Context() {
      if (atomic_) preempt_enable();
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

   private:
    const bool atomic_;
  };

  // A page, or a table of ptes or of tables.
  struct Gathered {
    Page* page;
    bool is_table;
  };

  void add(Gathered gathered);
  void flush_tlb();

  static constexpr std::size_t kPagesMax = 64;
  const Context context_;
  Machine& m_;
  Mm& mm_;
  std::array<Gathered, kPagesMax> pages_;  // the first `count_` of them
  std::size_t count_ = 0;
  VirtRange range_{kUserEnd, 0};  // covers every address that was noted
  bool tables_ = false;           // there is a table among the pages
};

}  // namespace racier
