// core/objects/lock_classes.cc - the documented lock order as edges.
#include "core/objects/lock_classes.h"

namespace racier::lock_class {
namespace {

constexpr LockOrder kOrder[] = {
    {&kMmapSem, &kPageLock},
    {&kPageLock, &kIMmapLock},
    {&kIMmapLock, &kAnonVmaLock},
    {&kAnonVmaLock, &kPageTableLock},
    {&kPageTableLock, &kLruLock},
    {&kPageTableLock, &kSwapListLock},
    {&kSwapListLock, &kSwapDeviceLock},
    {&kSwapListLock, &kTreeLock},
    {&kSwapListLock, &kMmlistLock},
    {&kSwapLock, &kMmlistLock},
    // swap_lock=global
    {&kPageTableLock, &kSwapLock},
    {&kSwapLock, &kTreeLock},
    {&kPageLock, &kAnonVmaSem},
    {&kAnonVmaSem, &kIMmapLock},
    {&kPageLock, &kAnonVmaRootSem},
    {&kAnonVmaRootSem, &kIMmapLock},
    // anon_area
    {&kIMmapLock, &kISharedLock},
    {&kISharedLock, &kPageTableLock},
    {&kPageTableLock, &kPagecacheLock},
    {&kPagecacheLock, &kLruLock},
    // pte_chain
    {&kPageTableLock, &kChainLock},
    {&kChainLock, &kSwapDeviceLock},
    {&kChainLock, &kSwapLock},
    {&kChainLock, &kMmlistLock},
    // ptl=split: as page_table_lock
    {&kAnonVmaLock, &kPteLock},
    {&kPteLock, &kLruLock},
    {&kPteLock, &kSwapListLock},
    {&kPteLock, &kSwapLock},
    {&kISharedLock, &kPteLock},
    {&kPteLock, &kPagecacheLock},
    // mmu notifiers
    {&kPageTableLock, &kMmuLock},
    {&kPteLock, &kMmuLock},
    {&kIMmapLock, &kMmuLock},
    {&kMmapSem, &kUmemMutex},
    {&kAnonVmaSem, &kUmemMutex},
    {&kAnonVmaRootSem, &kUmemMutex},
    // files
    {&kISem, &kMmapSem},
    // reclaim
    {&kMmapSem, &kFsReclaim},
    {&kFsReclaim, &kIMmapLock},
    {&kFsReclaim, &kAnonVmaLock},
    {&kFsReclaim, &kISharedLock},
    {&kFsReclaim, &kAnonVmaSem},
    {&kFsReclaim, &kAnonVmaRootSem},
};

}  // namespace

std::span<const LockOrder> order_2_6_9() { return kOrder; }

}  // namespace racier::lock_class
