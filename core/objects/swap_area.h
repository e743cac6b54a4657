// core/objects/swap_area.h - where anonymous pages go when frames run out.
#pragma once
#include <cstdint>
#include <vector>

#include "core/memory/page_store.h"
#include "core/memory/pte.h"
#include "core/objects/lock_classes.h"
#include "core/sync/spin_lock.h"

namespace racier {

// Which locks guard swap areas.
enum class SwapLocking : std::uint8_t {
  kDevice,  // swap_list_lock, and inside of it each area's own (until 2.6.14)
  kGlobal,  // one lock, swap_lock, for all (since 2.6.15)
};

// Kernel: struct swap_info_struct, v2.6.9.
struct SwapArea {
  // An area of `slots` slots; fewer than two is no swap, as slot 0 is never used.
  explicit SwapArea(std::uint32_t slots, SwapLocking locking = SwapLocking::kDevice);

  // Makes it as new, whoever holds its locks.  Context: no task is running.
  void reset(SwapLocking how);

  // As many references a slot can have.
  static constexpr std::uint16_t kSwapMapMax = 0x7fff;

  SwapLocking locking;
  SpinLock swap_list_lock{lock_class::kSwapListLock};  // kGlobal: not used
  SpinLock swap_device_lock;                           // kGlobal: it is swap_lock
  PageStore store;
  // References to each slot: one per swap pte, one if the slot is in the swap cache,
  // one per CacheSlot of shared memory.  Slot 0 is never used (in the kernel it holds
  // the header).
  std::vector<std::uint16_t> swap_map GUARDED_BY(swap_device_lock);
  std::uint32_t inuse_pages GUARDED_BY(swap_device_lock) = 0;
  // No free slot is below it.
  std::uint32_t lowest_bit GUARDED_BY(swap_device_lock) = 1;
};

}  // namespace racier
