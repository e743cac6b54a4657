// core/check/locks.cc - nobody runs, so nothing is locked.  L1.
// Tested by auditor_test.cc.
#include "core/check/checks.h"

namespace racier::check {
namespace {

// `what` is the lock's class; `owner` says whose it is.
void check(bool locked, const char* what, const char* owner, std::uint32_t id) {
  if (!locked) return;
  broken(Inv::kNoLockAtRest,
         std::string(what) + " of " + owner + " " + std::to_string(id));
}

void check_page(const Machine& m, Pfn pfn) {
  const Page& page = m.page(pfn);
  const std::uint64_t flags = page.flags.raw().load(std::memory_order_relaxed);
  constexpr std::uint64_t kLocks = bit_of(PageFlag::kLocked) |
                                   bit_of(PageFlag::kWriteback) |
                                   bit_of(PageFlag::kChainLock);
  if ((flags & kLocks) != 0 || page.ptl.is_locked()) {
    broken(Inv::kNoLockAtRest, describe(m, pfn));
  }
}

}  // namespace

void check_locks(const Audit& audit) NO_THREAD_SAFETY_ANALYSIS {
  Machine& m = audit.m;
  check(m.mms_lock.is_locked(), "mms_lock", "machine", 0);
  check(m.lru.lru_lock.is_locked(), "lru_lock", "machine", 0);
  check(m.mmlist_lock.is_locked(), "mmlist_lock", "machine", 0);
  check(m.swap.swap_list_lock.is_locked(), "swap_list_lock", "machine", 0);
  for (const auto& area : m.swap.info) {
    check(area->swap_device_lock.is_locked(), "swap_device_lock", "area", area->type);
  }
  check(m.swapper.tree_lock.is_locked(), "tree_lock", "swap cache", 0);
  check(m.aio.ctx_lock.is_locked(), "ctx_lock", "machine", 0);
  for (std::uint32_t i = 0; i < m.tasks.size(); ++i) {
    check(m.tasks[i].task_lock.is_locked(), "task_lock", "task", i);
  }
  for (Mm& mm : m.mms) {
    check(mm.mmap_sem.is_locked(), "mmap_sem", "mm", mm.id);
    check(mm.page_table_lock.is_locked(), "page_table_lock", "mm", mm.id);
  }
  m.for_each_file([](AddressSpace& file) {
    const auto id = static_cast<std::uint32_t>(file.id);
    check(file.i_sem.is_locked(), "i_sem", "file", id);
    check(file.tree_lock.is_locked(), "tree_lock", "file", id);
    check(file.i_mmap_lock.is_locked(), "i_mmap_lock", "file", id);
  });
  m.frames.for_each_allocated([&m](Pfn pfn) { check_page(m, pfn); });
}

}  // namespace racier::check
