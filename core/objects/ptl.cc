// core/objects/ptl.cc - finds the lock of a pte.  Tested by ptl_test.cc.
#include "core/objects/ptl.h"

#include <algorithm>

namespace racier {

// The analysis knows one lock where there are many.

SpinLock* pte_lockptr(Machine& m, Mm& mm, VirtAddr addr) {
  if (!m.options().period.split_ptl) return &mm.page_table_lock;
  const Pfn table = find_pte_table(m.frames, mm.context, addr);
  return table == kNoPfn ? nullptr : &m.page(table).ptl;
}

void assert_pte_locked(Machine& m, Mm& mm, VirtAddr addr, std::source_location where) {
  SpinLock* const lock = pte_lockptr(m, mm, addr);
  if (lock != nullptr) lock->assert_held(where);
}

void PtlGuard::find(Machine& m, const Mm& mm, VirtAddr addr) {
  slot_ = find_pte(m.frames, mm.context, addr);
}

PtlGuard::PtlGuard(Machine& m, Mm& mm, VirtAddr addr,
                   Where where) NO_THREAD_SAFETY_ANALYSIS
    : PtlGuard(m, mm, addr, 0, where) {}

// The slot is looked for under the lock.  If it is found the table was there before,
// or, as page_table_lock was not needed for that, its lock was taken.
PtlGuard::PtlGuard(Machine& m, Mm& mm, VirtAddr addr, int nest,
                   Where where) NO_THREAD_SAFETY_ANALYSIS
    : lock_(pte_lockptr(m, mm, addr)),
      where_(where) {
  if (lock_ == nullptr) return;
  lock_->lock(nest, where);
  find(m, mm, addr);
}

PtlGuard::PtlGuard(Machine& m, Mm& mm, VirtAddr addr, Adopt,
                   Where where) NO_THREAD_SAFETY_ANALYSIS
    : lock_(pte_lockptr(m, mm, addr)),
      where_(where) {
  find(m, mm, addr);
}

PtlGuard::~PtlGuard() noexcept(false) NO_THREAD_SAFETY_ANALYSIS {
  if (lock_ != nullptr) lock_->unlock(where_);
}

void for_each_locked_table(Machine& m, Mm& mm, VirtRange range,
                           FunctionRef<void(VirtRange)> work,
                           std::source_location where) {
  if (!m.options().period.split_ptl) {
    const SpinGuard guard(mm.page_table_lock, where);
    return work(range);
  }
  const std::uint64_t span = table_span(1);
  for (VirtAddr at = range.start; at < range.end;) {
    const VirtAddr end = std::min((at | (span - 1)) + 1, range.end);
    if (find_pte_table(m.frames, mm.context, at) != kNoPfn) {
      const PtlGuard guard(m, mm, at, where);
      work({at, end});
    }
    at = end;
  }
}

}  // namespace racier
