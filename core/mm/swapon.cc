// core/mm/swapon.cc - swapon, swapoff.
// Tested by swapon_test.cc, swapoff_test.cc and corpus/programs/swap*.racier.
#include "core/mm/swapon.h"

#include "core/base/bug.h"
#include "core/mm/mmlist.h"
#include "core/mm/swap_locks.h"
#include "core/mm/try_to_unuse.h"
#include "core/sync/context.h"

namespace racier {
namespace {

SwapArea& area_of(SwapAreas& areas, int type) {
  return *areas.info[static_cast<std::size_t>(type)];
}

// Puts the area on the list, behind those of its priority.
void insert_in_list(SwapAreas& areas, SwapArea& area) REQUIRES(areas.swap_list_lock) {
  int before = -1;
  int behind = areas.list_head;
  while (behind >= 0 && area_of(areas, behind).prio >= area.prio) {
    before = behind;
    behind = area_of(areas, behind).next;
  }
  area.next = behind;
  const int type = static_cast<int>(area.type);
  if (before < 0) {
    areas.list_head = type;
  } else {
    area_of(areas, before).next = type;
  }
  areas.list_next = areas.list_head;
}

void take_off_list(SwapAreas& areas, SwapArea& area) REQUIRES(areas.swap_list_lock) {
  const int type = static_cast<int>(area.type);
  if (areas.list_head == type) {
    areas.list_head = area.next;
  } else {
    int before = areas.list_head;
    while (area_of(areas, before).next != type) before = area_of(areas, before).next;
    area_of(areas, before).next = area.next;
  }
  areas.list_next = areas.list_head;
}

void free_map(Machine& m, SwapArea& area) {
  for (std::uint32_t part = 0; part < area.parts(); ++part) {
    SwapMapPart* const freed = area.swap_map[part].exchange(nullptr);
    if (freed != nullptr) m.swap_map_cache.destroy(freed);
  }
}

// Returns false and frees what it has allocated if there is no memory.
bool allocate_map(Machine& m, SwapArea& area) {
  for (std::uint32_t part = 0; part < area.parts(); ++part) {
    SwapMapPart* const fresh = m.swap_map_cache.create();
    if (fresh == nullptr) {
      free_map(m, area);
      return false;
    }
    area.swap_map[part].store(fresh);
  }
  return true;
}

// Whether slot numbers are bad is the machine's to say.
void mark_bad_slots(Machine& m, SwapArea& area) REQUIRES(area.swap_device_lock) {
  const std::uint32_t every = m.options().swap_bad;
  if (every == 0) return;
  for (std::uint32_t slot = every; slot < area.max; slot += every) {
    area.set_count(slot, kSwapMapBad);
  }
}

// Returns false if somebody has it.
bool claim(Machine& m, SwapArea& area) {
  const SwapInfoGuard guard(m.swap, area);
  if (area.flags.load() != 0) return false;
  area.flags.store(SwapArea::kUsed);
  return true;
}

void put_in_use(Machine& m, SwapArea& area, int priority) {
  const SwapInfoGuard guard(m.swap, area);
  mark_bad_slots(m, area);
  area.inuse_pages = 0;
  area.lowest_bit = 1;
  area.highest_bit = area.max - 1;
  area.prio = priority;
  area.flags.store(SwapArea::kUsed | SwapArea::kValid | SwapArea::kWriteok);
  insert_in_list(m.swap, area);
}

// No slot of it is handed out from now on.  Returns false if none was before.
bool stop_use(Machine& m, SwapArea& area) {
  const SwapInfoGuard guard(m.swap, area);
  if ((area.flags.load() & SwapArea::kWriteok) == 0) return false;
  take_off_list(m.swap, area);
  area.flags.store(SwapArea::kUsed | SwapArea::kValid);
  area.unuser = current();
  return true;
}

// Whoever took the area out of use is done with that: it goes, or it is as before.
void end_unuse(Machine& m, SwapArea& area, bool gone) {
  const SwapInfoGuard guard(m.swap, area);
  area.unuser = nullptr;
  current()->signal_pending.store(false);
  if (gone) {
    area.flags.store(SwapArea::kUsed);
  } else {
    area.flags.store(SwapArea::kUsed | SwapArea::kValid | SwapArea::kWriteok);
    insert_in_list(m.swap, area);
  }
}

// Frees the map.  Who looks at it without a lock must be done with that.  Kernel:
// eb085574a752, v5.3.
void destroy_map(Machine& m, SwapArea& area) {
  if (!bug::armed(Bug::kSwapoffFreesMapUnderSwapin)) m.rcu.synchronize();
  free_map(m, area);
  const SwapInfoGuard guard(m.swap, area);
  area.flags.store(0);
}

}  // namespace

Status do_swapon(Machine& m, std::uint32_t type, int priority) {
  if (type >= m.swap.count() || m.swap.info[type]->max < 2) return Status::kInvalid;
  SwapArea& area = *m.swap.info[type];
  if (!claim(m, area)) return Status::kBusy;
  if (!allocate_map(m, area)) {
    const SwapInfoGuard guard(m.swap, area);
    area.flags.store(0);
    return Status::kNoMemory;
  }
  put_in_use(m, area, priority);
  return Status::kOk;
}

Status do_swapoff(Machine& m, std::uint32_t type) {
  might_sleep();
  if (type >= m.swap.count()) return Status::kInvalid;
  SwapArea& area = *m.swap.info[type];
  if (!stop_use(m, area)) return Status::kInvalid;
  m.swap.unusing.fetch_add(1);
  const Status status = try_to_unuse(m, area);
  m.swap.unusing.fetch_sub(1);
  end_unuse(m, area, status == Status::kOk);
  if (status != Status::kOk) return status;
  drain_mmlist(m);
  destroy_map(m, area);
  return Status::kOk;
}

Status signal_swapoff(Machine& m, std::uint32_t type) {
  if (type >= m.swap.count()) return Status::kNoProcess;
  SwapArea& area = *m.swap.info[type];
  const SwapDeviceGuard guard(m.swap, area);
  if (area.unuser == nullptr) return Status::kNoProcess;
  interrupt(*area.unuser);
  return Status::kOk;
}

}  // namespace racier
