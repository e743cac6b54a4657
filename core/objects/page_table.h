// core/objects/page_table.h - page tables, as the kernel reaches into them.
//
// Tables are frames of the arena.  Entries are atomic words, because the hardware walks
// and marks them while the kernel changes them under mm->page_table_lock.  An entry
// above the ptes is 0 or names the frame of a lower table, as a pte that is present,
// user and writable.
#pragma once
#include <cstdint>

#include "core/base/function_ref.h"
#include "core/memory/frame_arena.h"
#include "core/memory/mmu.h"
#include "core/memory/pte.h"
#include "core/sync/atomic.h"

namespace racier {

// One pte in its table.  A value; dangles when the table is freed.
class PteSlot {
 public:
  PteSlot() = default;
  explicit PteSlot(Atomic<std::uint64_t>* word) : word_(word) {}
  explicit operator bool() const { return word_ != nullptr; }

  // Each takes one step.
  Pte get(std::source_location where = std::source_location::current()) const {
    return Pte(word_->load(where));
  }
  void set(Pte pte,
           std::source_location where = std::source_location::current()) const {
    word_->store(pte.bits(), where);
  }
  // Empties it and returns what it held, with the accessed and dirty bits that the
  // hardware set up to that moment.  Kernel: ptep_get_and_clear().
  Pte get_and_clear(
      std::source_location where = std::source_location::current()) const {
    return Pte(word_->exchange(0, where));
  }
  // Clears flags, keeping what the hardware sets meanwhile; returns what it held
  // before.
  // Kernel: ptep_test_and_clear_young(), ptep_set_wrprotect().
  Pte clear_flags(std::uint64_t flags,
                  std::source_location where = std::source_location::current()) const {
    return Pte(word_->fetch_and(~flags, where));
  }
  // Without a step: for audits.
  Pte peek() const { return Pte(word_->peek()); }

 private:
  Atomic<std::uint64_t>* word_ = nullptr;
};

// Returns entry `index` of the table in frame `table`.
PteSlot table_entry(const FrameArena& arena, Pfn table, int index);

// Returns the pte slot of `addr`, or an empty one if a table on the way is missing.
// Context: page_table_lock held, so that no table is freed.  No step.
PteSlot find_pte(const FrameArena& arena, const MmuContext& context, VirtAddr addr);

// Returns the table that the pte of `addr` is in, or kNoPfn.  As find_pte().
Pfn find_pte_table(const FrameArena& arena, const MmuContext& context, VirtAddr addr);

// Likewise without page_table_lock, a step for each entry: it may be on its way out.
// Context: an RCU read section, and tables are freed behind a grace period.
Pfn find_pte_table_rcu(const FrameArena& arena, const MmuContext& context,
                       VirtAddr addr);

// Shows each table of ptes that covers a part of `range`, with that part.
// Context: as find_pte(), or mmap_sem held for writing.
void for_each_pte_table(const FrameArena& arena, const MmuContext& context,
                        VirtRange range, FunctionRef<void(VirtRange, Pfn)> visit);

// Puts `table`, zero-filled, in the way to `addr` as the table of `level` (0 to 2),
// whose parent exists.  Returns false if there is one already.
// Context: page_table_lock held.  No step.
bool install_table(const FrameArena& arena, const MmuContext& context, VirtAddr addr,
                   int level, Pfn table);
// Returns the highest level (2 to 0) whose table on the way to `addr` is missing, or
// -1.
int missing_table(const FrameArena& arena, const MmuContext& context, VirtAddr addr);

// Shows each pte of [range) whose table exists, in the order of addresses, with its
// address.
// Context: page_table_lock held, or quiescence.
void for_each_pte(const FrameArena& arena, const MmuContext& context, VirtRange range,
                  FunctionRef<void(VirtAddr, PteSlot)> visit);

// Takes out of `context` every table that covers a part of `range` and nothing outside
// of
// `limits` (a lower table before the one above it; never the root) and hands its frame
// to
// `freed`.  The ptes in it are gone already.  `limits` contains `range`.
// Context: page_table_lock held.  No step.  Kernel: free_pgd_range(), v2.6.12.
void detach_tables(const FrameArena& arena, const MmuContext& context, VirtRange range,
                   VirtRange limits, FunctionRef<void(Pfn)> freed);

// Shows the frame of each table of `context`, the root included.  Quiescence.
void for_each_table(const FrameArena& arena, const MmuContext& context,
                    FunctionRef<void(Pfn, int level)> visit);

}  // namespace racier
