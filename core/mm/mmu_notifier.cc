// core/mm/mmu_notifier.cc - walks the notifiers of an mm, in a read section of SRCU.
//
// Two may end a notifier at once: who unregisters it, and the last user of the mm.
// Both call release(), and only then is it taken off the list, by the first of them: so
// the pages of the mm do not go before one release() has returned.  Who unregisters it
// waits for all callbacks that are under way, and may free it then.
//
// Tested by mmu_notifier_test.cc and corpus/programs/notifier_*.racier.
#include "core/mm/mmu_notifier.h"

#include <algorithm>
#include <span>

#include "core/base/bug.h"
#include "core/base/function_ref.h"
#include "core/base/mark.h"
#include "core/mm/fork.h"
#include "core/mm/vma_cache.h"
#include "core/rmap/scheme.h"
#include "core/sync/context.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

// A look at a notifier, which is there: a step.
void look_at(const MmuNotifier& notifier) {
  step({&notifier, Access::kRead, std::memory_order_relaxed,
        std::source_location::current(), sizeof notifier});
}

void for_each_notifier(Machine& m, const Mm& mm, FunctionRef<void(MmuNotifier&)> call) {
  if (!mm.notifiers.any()) return;
  const SrcuReadGuard guard(m.notifier_srcu);
  MmuNotifier* notifier = mm.notifiers.first.load();
  for (; notifier != nullptr; notifier = notifier->next.load()) {
    look_at(*notifier);
    call(*notifier);
  }
}

// Those whose callbacks do not sleep.
void for_each_atomic(Machine& m, const Mm& mm, FunctionRef<void(MmuNotifier&)> call) {
  for_each_notifier(m, mm, [&](MmuNotifier& notifier) {
    if (!notifier.ops->may_sleep) call(notifier);
  });
}

void take_off(MmuNotifiers& notifiers, MmuNotifier& notifier) REQUIRES(notifiers.lock) {
  Atomic<MmuNotifier*>* link = &notifiers.first;
  while (link->load() != &notifier) link = &link->load()->next;
  // What is behind it, it still leads to.
  link->store(notifier.next.load());
  notifier.listed = false;
}

void take_off_if_listed(MmuNotifiers& notifiers, MmuNotifier& notifier) {
  const SpinGuard guard(notifiers.lock);
  if (notifier.listed) take_off(notifiers, notifier);
}

// Returns whether `notifier` is told.
bool is_told(const MmuNotifier& notifier, Sleepers sleepers) {
  return sleepers == Sleepers::kYes || !notifier.ops->may_sleep;
}

}  // namespace

Status mmu_notifier_register(Machine& m, MmuNotifier& notifier) {
  Mm& mm = notifier.mm;
  if (notifier.ops->may_sleep && !m.scheme().traits().walk_may_sleep) {
    return Status::kInvalid;
  }
  const MmapWriteGuard guard(m, mm);
  vmas_start_write(m, mm, {0, kUserEnd});
  const auto list = [&] {
    const SpinGuard notifiers(mm.notifiers.lock);
    notifier.next.store(mm.notifiers.first.load());
    mm.notifiers.first.store(&notifier);
    notifier.listed = true;
  };
  if (bug::armed(Bug::kNotifierRegisteredUnlocked)) {
    list();
  } else {
    const MmAllLocks locks(mm);
    if (!locks) return Status::kNoMemory;
    list();
  }
  mmgrab(mm);
  return Status::kOk;
}

void mmu_notifier_unregister(Machine& m, MmuNotifier& notifier) {
  might_sleep();
  Mm& mm = notifier.mm;
  const bool early = bug::armed(Bug::kNotifierHiddenBeforeRelease);
  if (early) take_off_if_listed(mm.notifiers, notifier);
  {
    const SrcuReadGuard guard(m.notifier_srcu);
    notifier.ops->release(m, notifier);
  }
  if (!early) take_off_if_listed(mm.notifiers, notifier);
  if (!bug::armed(Bug::kNotifierFreedUnderWalk)) m.notifier_srcu.synchronize();
  mmdrop(m, mm);
}

void mmu_notifier_release(Machine& m, Mm& mm, std::source_location where) {
  might_sleep();
  if (flush_is_left_out("release", where)) return;
  if (!mm.notifiers.any()) return;
  for_each_notifier(m, mm,
                    [&](MmuNotifier& notifier) { notifier.ops->release(m, notifier); });
  // (The kernel waits here for who unregisters one and is in release(): but whoever is
  // there has it on the list still, so it was called above, too.)
  const SpinGuard guard(mm.notifiers.lock);
  while (MmuNotifier* const first = mm.notifiers.first.load()) {
    take_off(mm.notifiers, *first);
  }
}

NotifiedRange::NotifiedRange(Machine& m, Mm& mm, VirtRange range, bool changes,
                             Sleepers sleepers, std::source_location where)
    : m_(m),
      mm_(mm),
      range_(range),
      sleepers_(sleepers),
      told_(changes && !flush_is_left_out("invalidate_range", where)) {
  if (!told_) return;
  for_each_notifier(m, mm, [&](MmuNotifier& notifier) {
    if (is_told(notifier, sleepers_)) {
      notifier.ops->invalidate_range_start(m_, notifier, range_);
    }
  });
}

NotifiedRange::~NotifiedRange() noexcept(false) {
  if (!told_ || run_is_over()) return;
  for_each_notifier(m_, mm_, [&](MmuNotifier& notifier) {
    if (is_told(notifier, sleepers_)) {
      notifier.ops->invalidate_range_end(m_, notifier, range_);
    }
  });
}

void mmu_notifier_invalidate_page(Machine& m, Mm& mm, VirtAddr addr,
                                  std::source_location where) {
  if (flush_is_left_out("invalidate_page", where)) return;
  for_each_atomic(m, mm, [&](MmuNotifier& notifier) {
    notifier.ops->invalidate_page(m, notifier, addr);
  });
}

void mmu_notifier_invalidate_page_sleeping(Machine& m, Mm& mm, VirtAddr addr,
                                           std::source_location where) {
  if (flush_is_left_out("invalidate_page", where)) return;
  for_each_notifier(m, mm, [&](MmuNotifier& notifier) {
    if (notifier.ops->may_sleep) notifier.ops->invalidate_page(m, notifier, addr);
  });
}

bool mmu_notifier_clear_flush_young(Machine& m, Mm& mm, VirtAddr addr,
                                    std::source_location where) {
  if (flush_is_left_out("clear_flush_young", where)) return false;
  bool young = false;
  for_each_atomic(m, mm, [&](MmuNotifier& notifier) {
    if (notifier.ops->clear_flush_young(m, notifier, addr)) young = true;
  });
  return young;
}

void mmu_notifier_change_pte(Machine& m, Mm& mm, VirtAddr addr, Pte pte,
                             std::source_location where) {
  if (flush_is_left_out("change_pte", where)) return;
  for_each_atomic(m, mm, [&](MmuNotifier& notifier) {
    notifier.ops->change_pte(m, notifier, addr, pte);
  });
}

bool mm_has_sleeping_notifiers(Machine& m, const Mm& mm) {
  bool sleeps = false;
  for_each_notifier(m, mm, [&](const MmuNotifier& notifier) {
    sleeps = sleeps || notifier.ops->may_sleep;
  });
  return sleeps;
}

void MmAllLocks::find_files(const Mm& mm) {
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    AddressSpace* const file = vma->vm_file;
    const auto known = std::span(files_).first(count_);
    if (file == nullptr || std::ranges::find(known, file) != known.end()) continue;
    too_many_ = count_ == kFilesMax;
    if (too_many_) return;
    files_[count_++] = file;
  }
  std::ranges::sort(std::span(files_).first(count_), {}, &AddressSpace::id);
}

// All are of one class, and taken in the order of the files.
MmAllLocks::MmAllLocks(const Mm& mm) NO_THREAD_SAFETY_ANALYSIS {
  find_files(mm);
  if (too_many_) count_ = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    files_[i]->i_mmap_lock.lock(static_cast<int>(i));
  }
}

MmAllLocks::~MmAllLocks() noexcept(false) NO_THREAD_SAFETY_ANALYSIS {
  while (count_ > 0) files_[--count_]->i_mmap_lock.unlock();
}

}  // namespace racier
