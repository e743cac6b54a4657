// core/objects/swap_area.cc - an empty swap area.
// Tested by machine_test.cc.
#include "core/objects/swap_area.h"

#include <algorithm>
#include <memory>

namespace racier {
namespace {

const LockClass& device_class(SwapLocking locking) {
  return locking == SwapLocking::kGlobal ? lock_class::kSwapLock
                                         : lock_class::kSwapDeviceLock;
}

}  // namespace

// (A host memory of no pages cannot be mapped.)
SwapArea::SwapArea(std::uint32_t slots, SwapLocking how)
    : locking(how),
      swap_device_lock(device_class(how)),
      store(std::max(slots, 1u)),
      swap_map(std::max(slots, 1u), 0) {}

// No task is running, so no lock is needed; the locks themselves may be held by tasks
// that are no more.
void SwapArea::reset(SwapLocking how) NO_THREAD_SAFETY_ANALYSIS {
  locking = how;
  std::construct_at(&swap_list_lock, lock_class::kSwapListLock);
  std::construct_at(&swap_device_lock, device_class(locking));
  store.reset();
  std::fill(swap_map.begin(), swap_map.end(), std::uint16_t{0});
  inuse_pages = 0;
  lowest_bit = 1;
}

}  // namespace racier
