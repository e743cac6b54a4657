// core/mm/tlb_batch.h - flushes of the TLBs that reclaim puts off.
//
// With unmap=batched a page that many map is taken from all of them, and then one flush
// for each mm does, not one for each pte.  Until then the old translations work, and
// who else changes ptes of such an mm must flush them himself before he promises
// anything.  With unmap=each all of this does nothing.
//
// Kernel: struct tlbflush_unmap_batch, mm/rmap.c, v4.3 (72b252aed506, Gorman);
// flush_tlb_batched_pending(), v4.13, and its two numbers, v5.18.
#pragma once
#include <array>
#include <source_location>

#include "core/objects/machine.h"

namespace racier {

// What one reclaimer has put off.  Flushes what is left when it goes.
class TlbUbc {
  using Where = std::source_location;

 public:
  explicit TlbUbc(Machine& m) : m_(m) {}
  ~TlbUbc() noexcept(false);
  TlbUbc(const TlbUbc&) = delete;
  TlbUbc& operator=(const TlbUbc&) = delete;

  // Sees to it that the translations of `pte`, which was just taken out at `addr`, go:
  // now, or with the next flush.  Context: its page_table_lock is held.
  // Kernel: set_tlb_ubc_flush_pending().
  void took(Mm& mm, VirtAddr addr, Pte pte);
  // Before the page is free, or its place in a cache.  Kernel: try_to_unmap_flush().
  void flush(Where where = Where::current());
  // Before the page is written, if one of its ptes said that somebody may store to it.
  // Kernel: try_to_unmap_flush_dirty().
  void flush_dirty(Where where = Where::current());

 private:
  static constexpr std::size_t kMmsMax = 8;
  struct PutOff {
    MmuContext context;
    CpuSet cpus;  // whoever may have translations of any pte that was taken out
  };

  Machine& m_;
  std::array<PutOff, kMmsMax> mms_;  // the first `count_` of them
  std::size_t count_ = 0;
  bool dirty_ = false;
};

// Flushes what anybody has put off of `mm`, whose ptes the caller is about to change.
// Context: the page_table_lock of those held.
void flush_tlb_batched_pending(
    Machine& m, Mm& mm, std::source_location where = std::source_location::current());

}  // namespace racier
