// core/objects/mmu_notifier.h - who else translates the addresses of an mm.
//
// Kernel: include/linux/mmu_notifier.h, v2.6.27 (cddb8a5c14aa, Arcangeli), v3.7 for
// callbacks that sleep; core/mm/mmu_notifier.h calls them.
#pragma once
#include <cstdint>

#include "core/base/types.h"
#include "core/memory/pte.h"
#include "core/objects/lock_classes.h"
#include "core/sync/atomic.h"
#include "core/sync/spin_lock.h"

namespace racier {

class Machine;
struct Mm;
struct MmuNotifier;

// What a notifier is told.  Of one whose callbacks may sleep (`may_sleep`) the first
// four are called with nothing held that spins, and the others never; it has to leave
// alone what files map.  Those of any other must not sleep.
struct MmuNotifierOps {
  bool may_sleep;
  // Nobody uses the mm any more: the last call.  Perhaps more than once, and at once.
  void (*release)(Machine&, MmuNotifier&);
  // What `range` maps changes, or goes, until the end; they may overlap.
  void (*invalidate_range_start)(Machine&, MmuNotifier&, VirtRange);
  void (*invalidate_range_end)(Machine&, MmuNotifier&, VirtRange);
  // What the page at the address maps has changed, and its old page is not free yet.
  void (*invalidate_page)(Machine&, MmuNotifier&, VirtAddr);
  // Returns whether the page was used since it was last asked.
  bool (*clear_flush_young)(Machine&, MmuNotifier&, VirtAddr);
  // The page at the address is another one, which `pte` maps.
  void (*change_pte)(Machine&, MmuNotifier&, VirtAddr, Pte pte);
};

struct MmuNotifier {
  MmuNotifier(const MmuNotifierOps& ops, Mm& mm) : ops(&ops), mm(mm) {}

  const MmuNotifierOps* const ops;
  Mm& mm;  // with a reference to the object
  // On MmuNotifiers; stays when it is taken off, for who is there.
  Atomic<MmuNotifier*> next{nullptr};
  bool listed = false;  // guarded by MmuNotifiers::lock
};

// All notifiers of an mm.  Read in a section of Machine::notifier_srcu.
struct MmuNotifiers {
  SpinLock lock{lock_class::kMmuNotifierLock};  // of who changes the list
  Atomic<MmuNotifier*> first{nullptr};

  // Returns whether there is one.  No step: who has translations has registered before,
  // under all locks; and what who is gone has left in pages is seen behind this.
  bool any() const {
    note_side_effects();
    return first.peek(std::memory_order_acquire) != nullptr;
  }
};

}  // namespace racier
