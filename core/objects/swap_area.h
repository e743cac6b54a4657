// core/objects/swap_area.h - where anonymous pages go when frames run out.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/memory/pte.h"
#include "core/memory/swap_file.h"
#include "core/objects/lock_classes.h"
#include "core/sync/atomic.h"
#include "core/sync/spin_lock.h"
#include "core/sync/wait_queue.h"

namespace racier {

// Which locks guard swap areas.
enum class SwapLocking : std::uint8_t {
  kDevice,  // swap_list_lock, and inside of it each area's own (until 2.6.14)
  kGlobal,  // one lock, swap_lock, for all (since 2.6.15)
};

inline constexpr std::uint32_t kSwapAreasMax = 8;
// What swap_map says of a slot that may not be used.
inline constexpr std::uint16_t kSwapMapBad = 0x8000;
// As many references a slot can have, unless the machine says otherwise.
inline constexpr std::uint32_t kSwapMapMax = 0x7fff;

// A part of the map of an area: it is on loan from the slab caches while the area is
// on.
struct SwapMapPart {
  static constexpr std::uint32_t kCounts = 256;
  std::array<Atomic<std::uint16_t>, kCounts> counts{};
};

// Kernel: struct swap_info_struct, v2.6.9.
struct SwapArea {
  // Area number `type`, with `slots` slots; fewer than two is no swap, as slot 0 is
  // never used.  `path` as for SwapFile.
  SwapArea(std::uint32_t type, std::uint32_t slots, const std::string& path = "");

  // Makes it as new, and off, whoever holds its locks.  Context: no task is running.
  void reset();

  // Bits of flags.
  static constexpr std::uint32_t kUsed = 1;     // somebody has it on, or is about to
  static constexpr std::uint32_t kValid = 2;    // it has a map
  static constexpr std::uint32_t kWriteok = 4;  // slots of it are handed out

  const std::uint32_t type;
  const std::uint32_t max;  // slots.  Slot 0 is never used (in the kernel: the header)
  SwapFile file;
  // With SwapLocking::kGlobal not used: swap_list_lock is all there is.
  SpinLock swap_device_lock{lock_class::kSwapDeviceLock};

  // Changed under swap_list_lock and swap_device_lock; read without, too.
  Atomic<std::uint32_t> flags{0};
  // References to each slot: one per swap pte, one if the slot is in the swap cache,
  // one per CacheSlot of shared memory.  A count at the limit stays there.  Changed
  // under swap_device_lock; read without by who keeps the area from going.
  std::unique_ptr<Atomic<SwapMapPart*>[]> swap_map;
  std::uint32_t parts() const { return (max + kParts - 1) / kParts; }
  std::uint16_t count(std::uint32_t offset) const REQUIRES(swap_device_lock);
  void set_count(std::uint32_t offset, std::uint16_t count) REQUIRES(swap_device_lock);

  std::uint32_t inuse_pages GUARDED_BY(swap_device_lock) = 0;
  // No free slot is below the one, or above the other.
  std::uint32_t lowest_bit GUARDED_BY(swap_device_lock) = 1;
  std::uint32_t highest_bit GUARDED_BY(swap_device_lock) = 0;

  // Guarded by swap_list_lock.
  int prio = 0;
  int next = -1;  // the area that comes behind it on the list; -1: none

  // Who takes the area out of use, or nullptr; and how often others have changed a
  // count meanwhile, or made it possible to find one.
  Task* unuser GUARDED_BY(swap_device_lock) = nullptr;
  std::uint64_t changes GUARDED_BY(swap_device_lock) = 0;
  WaitQueue unuse_wait{lock_class::kPageWait};

 private:
  static constexpr std::uint32_t kParts = SwapMapPart::kCounts;
};

// All swap areas.  Kernel: swap_info[], swap_list.
struct SwapAreas {
  // As many areas as `areas` says, of `slots` slots each.
  SwapAreas(std::uint32_t areas, std::uint32_t slots, SwapLocking locking);

  // Makes all of them as new, and off.  Context: no task is running.
  void reset(SwapLocking how);

  std::uint32_t count() const { return static_cast<std::uint32_t>(info.size()); }
  // Returns the area of `entry`; nullptr: there is no such slot.
  SwapArea* find(SwapEntry entry) const;
  // Numbers the slots of all areas through, from 0: where the swap cache has them.
  std::uint32_t index_of(SwapEntry entry) const {
    return entry.type() * slots + entry.offset();
  }
  SwapEntry entry_at(std::uint32_t index) const {
    return SwapEntry::of(index / slots, index % slots);
  }

  const std::uint32_t slots;  // of each
  SwapLocking locking;
  SpinLock swap_list_lock;  // kGlobal: it is swap_lock
  std::vector<std::unique_ptr<SwapArea>> info;
  // The areas that hand out slots, best first; and where the next slot comes from.  -1:
  // none.
  int list_head GUARDED_BY(swap_list_lock) = -1;
  int list_next GUARDED_BY(swap_list_lock) = -1;
  // How many areas somebody takes out of use.
  Atomic<std::uint32_t> unusing{0};
};

}  // namespace racier
