// core/mm/swap_slots.cc - hands out slots, and counts who refers to them.
// Tested by swap_slots_test.cc and corpus/programs/swap_*.racier.
#include "core/mm/swap_slots.h"

#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/swap_locks.h"

namespace racier {
namespace {

// Returns a free slot of the area, now in use, or 0.  Kernel: scan_swap_map().
std::uint32_t scan_swap_map(SwapArea& area) REQUIRES(area.swap_device_lock) {
  for (std::uint32_t slot = area.lowest_bit; slot <= area.highest_bit; ++slot) {
    if (area.count(slot) != 0) continue;
    area.set_count(slot, 1);
    area.lowest_bit = slot + 1;
    ++area.inuse_pages;
    return slot;
  }
  area.lowest_bit = area.max;
  area.highest_bit = 0;
  return 0;
}

// Returns the area to try when `area` has no slot left, or -1.  Those of its priority
// come first, from where the last slot came from; then, once, all from the best one on.
int next_to_try(const SwapAreas& areas, const SwapArea& area, bool& wrapped)
    REQUIRES(areas.swap_list_lock) {
  const int next = area.next;
  if (wrapped) return next;
  if (next >= 0 && areas.info[static_cast<std::size_t>(next)]->prio == area.prio) {
    return next;
  }
  wrapped = true;
  return areas.list_head;
}

// The next slot comes from the next area of that priority, in turn.
void take_turns(SwapAreas& areas, const SwapArea& area) REQUIRES(areas.swap_list_lock) {
  const int next = area.next;
  const bool equal =
      next >= 0 && areas.info[static_cast<std::size_t>(next)]->prio == area.prio;
  areas.list_next = equal ? next : areas.list_head;
}

// Others than who takes the area out of use have changed a count: he looks again.
void note_change(SwapArea& area) REQUIRES(area.swap_device_lock) {
  if (area.unuser == nullptr || area.unuser == current()) return;
  ++area.changes;
  area.unuse_wait.wake_all();
}

}  // namespace

bool swap_count_is_stuck(const Machine& m, std::uint16_t count) {
  return count == m.options().swap_map_max;
}

SwapEntry get_swap_page(Machine& m) {
  SwapAreas& areas = m.swap;
  const SpinGuard list(areas.swap_list_lock);
  bool wrapped = false;
  for (int type = areas.list_next; type >= 0;) {
    SwapArea& area = *areas.info[static_cast<std::size_t>(type)];
    std::uint32_t slot = 0;
    {
      const SwapInnerGuard device(areas, area);
      slot = scan_swap_map(area);
    }
    if (slot != 0) {
      take_turns(areas, area);
      return SwapEntry::of(area.type, slot);
    }
    mark::hit(Mark::kSwapAreaFull);
    type = next_to_try(areas, area, wrapped);
  }
  return {};
}

Status swap_duplicate(Machine& m, SwapEntry entry) {
  SwapArea* const area = m.swap.find(entry);
  if (area == nullptr) return Status::kNoEntry;
  const SwapDeviceGuard guard(m.swap, *area);
  if ((area->flags.peek() & SwapArea::kValid) == 0) return Status::kNoEntry;
  const std::uint16_t count = area->count(entry.offset());
  if (count == 0 || count == kSwapMapBad) return Status::kNoEntry;
  note_change(*area);
  if (count + 1u < m.options().swap_map_max) {
    area->set_count(entry.offset(), static_cast<std::uint16_t>(count + 1));
    return Status::kOk;
  }
  mark::hit(Mark::kSwapMapOverflow);
  area->set_count(entry.offset(), static_cast<std::uint16_t>(m.options().swap_map_max));
  return Status::kOk;
}

std::uint16_t swap_entry_free(Machine& m, SwapArea& area, SwapEntry entry) {
  std::uint16_t count = area.count(entry.offset());
  invariant(Inv::kSwapSlotInUse, count > 0 && count != kSwapMapBad);
  note_change(area);
  if (swap_count_is_stuck(m, count)) return count;
  area.set_count(entry.offset(), --count);
  if (count != 0) return count;
  --area.inuse_pages;
  if (entry.offset() < area.lowest_bit) area.lowest_bit = entry.offset();
  if (entry.offset() > area.highest_bit) area.highest_bit = entry.offset();
  const bool writeok = (area.flags.peek() & SwapArea::kWriteok) != 0;
  const int next = m.swap.list_next;
  if (writeok && next >= 0 &&
      area.prio > m.swap.info[static_cast<std::size_t>(next)]->prio) {
    m.swap.list_next = static_cast<int>(area.type);
  }
  return 0;
}

std::uint16_t swap_free(Machine& m, SwapEntry entry) {
  SwapArea* const area = m.swap.find(entry);
  invariant(Inv::kSwapSlotInUse, area != nullptr);
  const SwapInfoGuard guard(m.swap, *area);
  const bool valid = (area->flags.peek() & SwapArea::kValid) != 0;
  invariant(Inv::kSwapSlotInUse, valid);
  return swap_entry_free(m, *area, entry);
}

std::uint16_t swap_count(Machine& m, SwapEntry entry) {
  SwapArea* const area = m.swap.find(entry);
  if (area == nullptr) return 0;
  const SwapDeviceGuard guard(m.swap, *area);
  const bool valid = (area->flags.peek() & SwapArea::kValid) != 0;
  return valid ? area->count(entry.offset()) : std::uint16_t{0};
}

std::uint16_t swap_count_unlocked(Machine& m, SwapEntry entry) {
  SwapArea* const area = m.swap.find(entry);
  if (area == nullptr) return 0;
  const RcuReadGuard guard(m.rcu);
  if ((area->flags.load() & SwapArea::kValid) == 0) return 0;
  constexpr std::uint32_t kCounts = SwapMapPart::kCounts;
  SwapMapPart* const part = area->swap_map[entry.offset() / kCounts].load();
  if (part == nullptr) return 0;
  return part->counts[entry.offset() % kCounts].load(std::memory_order_relaxed);
}

void swap_changed(Machine& m, SwapEntry entry) {
  if (m.swap.unusing.peek() == 0) return;
  SwapArea& area = *m.swap.find(entry);
  const SwapDeviceGuard guard(m.swap, area);
  note_change(area);
}

void swap_changed(Machine& m) {
  if (m.swap.unusing.peek() == 0) return;
  for (const auto& area : m.swap.info) {
    const SwapDeviceGuard guard(m.swap, *area);
    note_change(*area);
  }
}

}  // namespace racier
