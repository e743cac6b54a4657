// core/mm/mmu_notifier.h - tells who else translates an mm what becomes of its ptes.
//
// Who changes what ptes map, beyond making more of it, tells the notifiers of the mm:
// before and after it, of a whole range; or, where a walk of the reverse map has come
// upon one pte, once, when the pte has changed and before its page can be free.  Who
// translates such an address forgets it, and does not look it up again until the end.
//
// Kernel: mm/mmu_notifier.c, v2.6.27 (cddb8a5c14aa, Arcangeli), v3.7 (21a92735f660,
// callbacks may sleep), v3.10 (d34883d4e35c, the order of release and unregister).
#pragma once
#include <array>
#include <source_location>

#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Lets `notifier` be told what becomes of its mm from now on.  It gets a reference to
// the object.
// Errors: kInvalid: its callbacks sleep, and walks of this reverse map must not;
// kNoMemory: mm_take_all_locks() could not.
// Context: may sleep; a user reference to the mm is held, and no lock.
[[nodiscard]] Status mmu_notifier_register(Machine& m, MmuNotifier& notifier);
// Ends that, and drops the reference.  release() was called once at least, and no
// callback is under way any more.
// Context: may sleep; no lock is held.
void mmu_notifier_unregister(Machine& m, MmuNotifier& notifier);
// Ends it for all notifiers of an mm that has no user any more, before its pages go.
// Context: may sleep.
void mmu_notifier_release(Machine& m, Mm& mm,
                          std::source_location where = std::source_location::current());

// Whether notifiers whose callbacks sleep are told, too.
enum class Sleepers : bool { kNo, kYes };

// What `range` of `mm` maps is about to change, until the end of the scope.
// Context: may sleep with Sleepers::kYes, if there are such notifiers.  mmap_sem, a
// lock of the vma or the i_mmap_lock of its file is held from begin to end: what
// mm_take_all_locks() takes.
class NotifiedRange {
 public:
  // `changes`: false: it does not.
  NotifiedRange(Machine& m, Mm& mm, VirtRange range, bool changes = true,
                Sleepers sleepers = Sleepers::kYes,
                std::source_location where = std::source_location::current());
  ~NotifiedRange() noexcept(false);
  NotifiedRange(const NotifiedRange&) = delete;
  NotifiedRange& operator=(const NotifiedRange&) = delete;

 private:
  Machine& m_;
  Mm& mm_;
  const VirtRange range_;
  const Sleepers sleepers_;
  const bool told_;
};

// The pte at `addr` has changed, and its TLB entries are gone.  Those whose callbacks
// sleep are not told.  Context: the lock of the pte is held.
void mmu_notifier_invalidate_page(
    Machine& m, Mm& mm, VirtAddr addr,
    std::source_location where = std::source_location::current());
// Those are, when that is free again, and the page still is not.
// Context: may sleep if there are any.  Kernel: as v4.11 called it.
void mmu_notifier_invalidate_page_sleeping(
    Machine& m, Mm& mm, VirtAddr addr,
    std::source_location where = std::source_location::current());
// Returns whether the page at `addr` was used since the last time, and forgets that.
// Context: the lock of the pte is held.
bool mmu_notifier_clear_flush_young(
    Machine& m, Mm& mm, VirtAddr addr,
    std::source_location where = std::source_location::current());
// The page at `addr` is another one now.  Context: likewise.
void mmu_notifier_change_pte(
    Machine& m, Mm& mm, VirtAddr addr, Pte pte,
    std::source_location where = std::source_location::current());

// Returns whether there are notifiers whose callbacks sleep.  Context: mmap_sem is
// held, or the lock of a pte.
bool mm_has_sleeping_notifiers(Machine& m, const Mm& mm);

// Keeps everybody from the ptes of `mm`, for a scope: mmap_sem is held for writing, no
// vma is used without it, and the i_mmap_lock of each file that it maps is held.
// Departs from the kernel, which takes the locks of anonymous pages, too: a walk from
// there tells of one pte, and when that has changed, so nobody can come in between.
// Kernel: mm_take_all_locks(), v2.6.27.
class MmAllLocks {
 public:
  explicit MmAllLocks(const Mm& mm);
  ~MmAllLocks() noexcept(false);
  MmAllLocks(const MmAllLocks&) = delete;
  MmAllLocks& operator=(const MmAllLocks&) = delete;

  // Returns whether it could: of more than kFilesMax files it takes none.
  explicit operator bool() const { return !too_many_; }

  static constexpr std::size_t kFilesMax = 12;

 private:
  void find_files(const Mm& mm);

  std::array<AddressSpace*, kFilesMax> files_;  // the first `count_` of them, by id
  std::size_t count_ = 0;
  bool too_many_ = false;
};

}  // namespace racier
