// core/objects/swap_area.cc - swap areas that are off.
// Tested by machine_test.cc.
#include "core/objects/swap_area.h"

#include <algorithm>
#include <memory>

namespace racier {
namespace {

const LockClass& list_class(SwapLocking locking) {
  return locking == SwapLocking::kGlobal ? lock_class::kSwapLock
                                         : lock_class::kSwapListLock;
}

}  // namespace

SwapArea::SwapArea(std::uint32_t type, std::uint32_t slots, const std::string& path)
    : type(type), max(slots), file(slots, path) {
  swap_map = std::make_unique<Atomic<SwapMapPart*>[]>(parts());
}

// No task is running, so no lock is needed; the locks themselves may be held by tasks
// that are no more.  Where the map was is wiped with all slabs.
void SwapArea::reset() NO_THREAD_SAFETY_ANALYSIS {
  std::construct_at(&swap_device_lock, lock_class::kSwapDeviceLock);
  std::construct_at(&unuse_wait, lock_class::kPageWait);
  file.reset();
  flags.raw().store(0, std::memory_order_relaxed);
  for (std::uint32_t part = 0; part < parts(); ++part) {
    swap_map[part].raw().store(nullptr, std::memory_order_relaxed);
  }
  inuse_pages = 0;
  lowest_bit = 1;
  highest_bit = 0;
  prio = 0;
  next = -1;
  unuser = nullptr;
  changes = 0;
}

std::uint16_t SwapArea::count(std::uint32_t offset) const {
  return swap_map[offset / kParts].peek()->counts[offset % kParts].peek();
}

void SwapArea::set_count(std::uint32_t offset, std::uint16_t count) {
  note_side_effects();
  swap_map[offset / kParts].peek()->counts[offset % kParts].poke(count);
}

SwapAreas::SwapAreas(std::uint32_t areas, std::uint32_t slots, SwapLocking locking)
    : slots(std::max(slots, 1u)),
      locking(locking),
      swap_list_lock(list_class(locking)) {
  for (std::uint32_t type = 0; type < areas; ++type) {
    info.push_back(std::make_unique<SwapArea>(type, slots));
  }
}

void SwapAreas::reset(SwapLocking how) NO_THREAD_SAFETY_ANALYSIS {
  locking = how;
  std::construct_at(&swap_list_lock, list_class(locking));
  for (const auto& area : info) area->reset();
  list_head = list_next = -1;
  unusing.raw().store(0, std::memory_order_relaxed);
}

SwapArea* SwapAreas::find(SwapEntry entry) const {
  if (!entry || entry.type() >= count()) return nullptr;
  SwapArea& area = *info[entry.type()];
  return entry.offset() < area.max ? &area : nullptr;
}

}  // namespace racier
