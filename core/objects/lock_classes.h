// core/objects/lock_classes.h - the locks of the simulated kernel, and their order.
//
// Outer to inner, Linux 2.6.9 (the comment of mm/rmap.c, first in 2.6.9 itself):
//
// inode->i_sem                      (truncate, write)
//   mm->mmap_sem
//     page lock (PG_locked)
//       mapping->i_mmap_lock
//         anon_vma->lock
//           mm->page_table_lock
//             zone->lru_lock          (mark_page_accessed, lru_cache_add)
//             swap_list_lock          (swap_free's swap_info_get)
//               mmlist_lock           (mmput, drain_mmlist and others)
//               swap_device_lock      (swap_duplicate, swap_info_get)
//               mapping->tree_lock
//
// With machine swap_lock=global one lock is in the place of both (since 2.6.15):
//
//           mm->page_table_lock
//             swap_lock
//               mmlist_lock
//               mapping->tree_lock
//
// With ptl=split (since 2.6.15) each table of ptes has a pte_lock, in the place of
// page_table_lock for all that is inside of it here.
//
// Where a reverse map's lock sleeps, it is outside of what spins:
//
//     page lock (PG_locked)
//       anon_vma->sem                 (anon_vma_rwsem)
//       anon_vma->root->rwsem         (anon_vma_chain)
//         mapping->i_mmap_lock
//           mm->page_table_lock
//
// Locks of other designs of the reverse map:
//
//   mapping->i_mmap_lock
//     area->i_shared_lock           (anon_area, in the place of anon_vma->lock)
//       mm->page_table_lock
//         pagecache_lock            (anon_area)
//           zone->lru_lock
//
//   mm->page_table_lock
//     PG_chainlock                  (pte_chain; a walk holds it and tries the outer
//     one)
//       swap_device_lock
//       mmlist_lock
//
// fs_reclaim is no lock but a place (reclaim_order.h): an allocation that may reclaim
// is outside of every lock that a reverse-map walk takes.
//
// page_wait, mm_list, task_lock, ctx_lock, aio_wait, task_wait, vma_wait, mmu_lock,
// secondary_wait and srcu_wait are leaves: nothing is taken inside of them.  mmu_lock
// is inside of page_table_lock; umem_mutex, which sleeps, inside of anon_vma->sem.
#pragma once
#include <span>

#include "core/sync/lock_checker.h"
#include "core/sync/lock_class.h"

namespace racier::lock_class {

inline constexpr LockClass kMmapSem{"mmap_sem", 0};
inline constexpr LockClass kPageLock{"page_lock", 1};
inline constexpr LockClass kIMmapLock{"i_mmap_lock", 2};
inline constexpr LockClass kAnonVmaLock{"anon_vma->lock", 3};
inline constexpr LockClass kPageTableLock{"page_table_lock", 4};
inline constexpr LockClass kLruLock{"lru_lock", 5};
inline constexpr LockClass kSwapListLock{"swap_list_lock", 6};
inline constexpr LockClass kSwapDeviceLock{"swap_device_lock", 7};
inline constexpr LockClass kTreeLock{"tree_lock", 8};
inline constexpr LockClass kPageWait{"page_wait", 9};
inline constexpr LockClass kMmListLock{"mm_list_lock", 10};
inline constexpr LockClass kTaskLock{"task_lock", 11};
inline constexpr LockClass kSwapLock{"swap_lock", 12};
inline constexpr LockClass kPteLock{"pte_lock", 13};
inline constexpr LockClass kISem{"i_sem", 14};
inline constexpr LockClass kMmlistLock{"mmlist_lock", 15};
// Of schemes; see core/rmap.
inline constexpr LockClass kAnonVmaSem{"anon_vma->sem", 16};
inline constexpr LockClass kAnonVmaRootSem{"anon_vma->root->rwsem", 17};
inline constexpr LockClass kChainLock{"PG_chainlock", 18};
inline constexpr LockClass kISharedLock{"i_shared_lock", 19};
inline constexpr LockClass kPagecacheLock{"pagecache_lock", 20};
// Of asynchronous I/O (aio.h), and of who waits for a process.
inline constexpr LockClass kCtxLock{"ctx_lock", 40};
inline constexpr LockClass kAioWait{"aio_wait", 41};
inline constexpr LockClass kTaskWait{"task_wait", 42};
// Of who waits for the users of a vma (core/mm/vma_cache.h).
inline constexpr LockClass kVmaWait{"vma_wait", 43};
// Of mmu notifiers, and of who they are (core/objects/secondary_mmu.h).
inline constexpr LockClass kMmuNotifierLock{"mmu_notifier_mm->lock", 50};
inline constexpr LockClass kMmuLock{"mmu_lock", 51};
inline constexpr LockClass kUmemMutex{"umem_mutex", 52};
inline constexpr LockClass kSecondaryWait{"secondary_wait", 53};
inline constexpr LockClass kSrcuMutex{"srcu_mutex", 54};
inline constexpr LockClass kSrcuWait{"srcu_wait", 55};
// No lock: reclaim_order.h.
inline constexpr LockClass kFsReclaim{"fs_reclaim", 32};

// The order above as edges: what the lock checker starts from.
std::span<const LockOrder> order_2_6_9();

}  // namespace racier::lock_class
