// core/mm/swap_locks.h - holds what guards swap areas.  For mm/ only.
//
// With swap_lock=global one lock is in the place of all, and each of the guards takes
// that.
#pragma once
#include "core/objects/machine.h"
#include "core/sync/maybe_guard.h"

namespace racier {

// Holds the lock of one area: its counts are as they are.  Kernel: swap_device_lock().
class SCOPED_CAPABILITY SwapDeviceGuard {
  using Where = std::source_location;

 public:
  SwapDeviceGuard(SwapAreas& areas, SwapArea& area, Where where = Where::current())
      ACQUIRE(area.swap_device_lock)
      : guard_(areas.locking == SwapLocking::kDevice ? area.swap_device_lock
                                                     : areas.swap_list_lock,
               where) {}
  ~SwapDeviceGuard() noexcept(false) RELEASE() {}
  SwapDeviceGuard(const SwapDeviceGuard&) = delete;
  SwapDeviceGuard& operator=(const SwapDeviceGuard&) = delete;

 private:
  SpinGuard guard_;
};

// Holds the lock of one area inside of swap_list_lock, which the caller holds.
class SCOPED_CAPABILITY SwapInnerGuard {
  using Where = std::source_location;

 public:
  SwapInnerGuard(SwapAreas& areas, SwapArea& area, Where where = Where::current())
      ACQUIRE(area.swap_device_lock) {
    if (areas.locking == SwapLocking::kDevice) {
      guard_.emplace(area.swap_device_lock, where);
    }
  }
  ~SwapInnerGuard() noexcept(false) RELEASE() { guard_.reset(); }
  SwapInnerGuard(const SwapInnerGuard&) = delete;
  SwapInnerGuard& operator=(const SwapInnerGuard&) = delete;

 private:
  MaybeGuard<SpinGuard> guard_;
};

// Holds both: slots of the area are neither taken nor freed.  Kernel: swap_info_get(),
// swap_info_put().
class SCOPED_CAPABILITY SwapInfoGuard {
  using Where = std::source_location;

 public:
  SwapInfoGuard(SwapAreas& areas, SwapArea& area, Where where = Where::current())
      ACQUIRE(areas.swap_list_lock, area.swap_device_lock)
      : list_(areas.swap_list_lock, where), device_(areas, area, where) {}
  ~SwapInfoGuard() noexcept(false) RELEASE() {}
  SwapInfoGuard(const SwapInfoGuard&) = delete;
  SwapInfoGuard& operator=(const SwapInfoGuard&) = delete;

 private:
  SpinGuard list_;
  SwapInnerGuard device_;
};

}  // namespace racier
