// core/objects/ptl.h - the lock of a pte.
//
// With ptl=mm, as until 2.6.14, it is mm->page_table_lock.  With ptl=split, as since
// 2.6.15, each table of ptes has its own, and page_table_lock guards what is above: the
// tables themselves, and the tree of vmas.  A table goes only when nobody can find its
// ptes any more: no vma is left in the tree and in the reverse map.  So who holds
// mmap_sem, or came by the reverse map, finds tables without a lock.
//
// To the thread-safety analysis all of them are page_table_lock.
//
// Kernel: include/linux/mm.h, v2.6.15: pte_lockptr(), pte_offset_map_lock().
#pragma once
#include <optional>

#include "core/objects/machine.h"
#include "core/objects/page_table.h"

namespace racier {

// Returns the lock of the pte of `addr`; nullptr: its table does not exist, and
// ptl=split.  Context: as above.
SpinLock* pte_lockptr(Machine& m, Mm& mm, VirtAddr addr);

// A finding unless the running task holds the lock of the pte of `addr`.
void assert_pte_locked(Machine& m, Mm& mm, VirtAddr addr,
                       std::source_location where = std::source_location::current())
    ASSERT_CAPABILITY(mm.page_table_lock);

// Holds the lock of one pte for a scope.
class SCOPED_CAPABILITY PtlGuard {
  using Where = std::source_location;

 public:
  PtlGuard(Machine& m, Mm& mm, VirtAddr addr, Where where = Where::current())
      ACQUIRE(mm.page_table_lock);
  // Of a task that holds the lock of a pte of another table.
  PtlGuard(Machine& m, Mm& mm, VirtAddr addr, int nest, Where where = Where::current())
      ACQUIRE(mm.page_table_lock);
  // Of a lock that is held already.
  PtlGuard(Machine& m, Mm& mm, VirtAddr addr, Adopt, Where where = Where::current())
      REQUIRES(mm.page_table_lock);
  ~PtlGuard() noexcept(false) RELEASE();
  PtlGuard(const PtlGuard&) = delete;
  PtlGuard& operator=(const PtlGuard&) = delete;

  // Returns the pte's slot, or an empty one if its table does not exist.
  PteSlot slot() const { return slot_; }

 private:
  void find(Machine& m, const Mm& mm, VirtAddr addr);

  PteSlot slot_;
  SpinLock* lock_ = nullptr;
  Where where_;
};

// Runs `work` for `range` with the locks of its ptes held: once with ptl=mm; with
// ptl=split once for each table that exists, with the part of the range that is in it.
void for_each_locked_table(
    Machine& m, Mm& mm, VirtRange range, FunctionRef<void(VirtRange)> work,
    std::source_location where = std::source_location::current());

}  // namespace racier
