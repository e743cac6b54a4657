// core/mm/mmlist.cc - joins, leaves and drains the list of mms that may be in swap.
// Tested by mmlist_test.cc and corpus/programs/mmlist_*.racier.
#include "core/mm/mmlist.h"

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/swap_locks.h"
#include "core/mm/swap_slots.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

// Puts `mm` behind `at`, unless somebody else was faster: with one lock for all ptes of
// a mm nobody can be.
void add_behind(Machine& m, Mm& mm, MmListNode& at) {
  if (!mm.mmlist.empty()) return;
  {
    const SpinGuard guard(m.mmlist_lock);
    const bool listed = mm.mmlist.next.peek() != &mm.mmlist;
    if (still(!listed) || bug::armed(Bug::kMmlistAddNoRecheck)) at.add(mm.mmlist);
  }
  mark::hit(Mark::kMmlistJoined);
  swap_changed(m);
}

bool is_in_use(Machine& m, SwapArea& area) REQUIRES(m.swap.swap_list_lock) {
  const SwapInnerGuard guard(m.swap, area);
  return area.inuse_pages != 0;
}

void empty_list(Machine& m) {
  const SpinGuard guard(m.mmlist_lock);
  while (m.mmlist.next.peek() != &m.mmlist) {
    MmListNode* const first = m.mmlist.next.peek();
    invariant(Inv::kMmlistIsSound, !first->empty());
    first->unlink();
    invariant(Inv::kMmlistIsSound, m.mmlist.next.peek() != first);
  }
  mark::hit(Mark::kMmlistDrained);
}

// Asks each area under its own lock only: another one may hand out a slot meanwhile, or
// the same one a moment later.
void drain_area_by_area(Machine& m) {
  for (const auto& area : m.swap.info) {
    const SwapDeviceGuard guard(m.swap, *area);
    if (area->inuse_pages != 0) return;
  }
  empty_list(m);
}

}  // namespace

void mmlist_join(Machine& m, Mm& mm) { add_behind(m, mm, m.mmlist); }

void mmlist_join_behind(Machine& m, Mm& child, Mm& parent) {
  add_behind(m, child, parent.mmlist);
}

void mmlist_leave(Machine& m, Mm& mm) {
  if (mm.mmlist.was_left()) return;
  {
    const SpinGuard guard(m.mmlist_lock);
    mm.mmlist.unlink();
  }
  swap_changed(m);  // swapoff may have met it when it had no users
}

void drain_mmlist(Machine& m) {
  if (bug::armed(Bug::kMmlistDrainedAreaByArea)) return drain_area_by_area(m);
  // A slot is handed out under swap_list_lock, of whatever area.
  const SpinGuard list(m.swap.swap_list_lock);
  for (const auto& area : m.swap.info) {
    if (!still(!is_in_use(m, *area))) return;
  }
  empty_list(m);
}

Mm* mmlist_next(Machine& m, MmListNode& at, bool& dying) {
  const SpinGuard guard(m.mmlist_lock);
  MmListNode* node = at.next.peek();
  while (node != &m.mmlist && node != &at) {
    MmListNode* const next = node->next.load(std::memory_order_relaxed);
    if (node->mm->mm_users.inc_not_zero()) return node->mm;
    dying = true;
    node = next;
  }
  return nullptr;
}

}  // namespace racier
