// core/mm/vma_lock.cc - counts readers, keeps them out, waits for them.
//
// Who counts himself in a vma sees what its owner did before he let it be found
// (acquire, with the release of vma_mark_attached()); who waits for a reader sees all
// that he did.  The number of the mm is read with acquire behind the count: who finds
// it raised sees what was changed under the older one.
//
// A reader that drops his count and sees that somebody waits wakes him, in a queue of
// the mm: with the count the vma may go, and so may the mm, unless it is the reader's
// own.
//
// Tested by vma_lock_test.cc and corpus/programs/per_vma*.racier.
#include "core/mm/vma_lock.h"

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/fork.h"
#include "core/rmap/scheme.h"
#include "core/sync/context.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelaxed = std::memory_order_relaxed;

// What who waits for readers adds, and as many as there can be.  Kernel:
// VMA_LOCK_OFFSET, VMA_REF_LIMIT.
constexpr std::uint32_t kVmaLockOffset = 0x4000'0000;
constexpr std::uint32_t kVmaRefLimit = kVmaLockOffset - 1;

enum class StartRead : std::uint8_t { kLocked, kBusy, kDetached };

bool is_write_locked(const Vma& vma, const Mm& mm, std::memory_order order) {
  return vma.vm_lock_seq.load(kRelaxed) == mm.vma_version.load(order);
}

// Kernel: __refcount_inc_not_zero_limited_acquire().
StartRead count_reader(Vma& vma) {
  std::uint32_t count = vma.vm_refcnt.load(kRelaxed);
  do {
    if (count == 0) return StartRead::kDetached;
    if (count >= kVmaRefLimit) return StartRead::kBusy;
  } while (!vma.vm_refcnt.compare_exchange(count, count + 1, kAcquire));
  return StartRead::kLocked;
}

void wake_writer(Mm& mm) {
  fence(std::memory_order_seq_cst);  // pairs with that of who joins the queue
  if (mm.vma_writer_wait.active()) mm.vma_writer_wait.wake_all();
}

// Kernel: vma_refcount_put().
void drop_reader(Vma& vma) {
  Mm& mm = *vma.vm_mm;  // behind the count the vma may be another one
  const std::uint32_t left = vma.vm_refcnt.fetch_sub(1) - 1;
  const bool writer_only = (left & kVmaLockOffset) != 0 && left <= kVmaLockOffset + 1;
  if (writer_only) wake_writer(mm);
}

// Lets go of a vma that was freed and has become one of another mm.
void drop_strangers_vma(Machine& m, Vma& vma) {
  mark::hit(Mark::kVmaRecycledUnderLookup);
  if (bug::armed(Bug::kRecycledVmaMmUaf)) return drop_reader(vma);
  Mm& other = *vma.vm_mm;
  mmgrab(other);
  drop_reader(vma);
  mmdrop(m, other);
}

// Context: an RCU read section, which is left if the vma is a stranger's.
StartRead vma_start_read(Machine& m, const Mm& mm, Vma& vma, RcuReadGuard& rcu) {
  if (is_write_locked(vma, mm, kRelaxed)) return StartRead::kBusy;
  const StartRead counted = count_reader(vma);
  if (counted != StartRead::kLocked) return counted;
  if (!still(vma.vm_mm == &mm)) {
    rcu.unlock();
    drop_strangers_vma(m, vma);
    return StartRead::kBusy;
  }
  if (still(!is_write_locked(vma, mm, kAcquire))) return StartRead::kLocked;
  mark::hit(Mark::kVmaChangedUnderLookup);
  drop_reader(vma);
  return StartRead::kBusy;
}

// Keeps readers out and waits until there is none; false: the vma is detached, and
// nobody is in it.  Kernel: __vma_enter_locked().
bool enter_locked(Vma& vma, bool detaching) {
  std::uint32_t count = vma.vm_refcnt.load(kRelaxed);
  do {
    if (count == 0) return false;
  } while (!vma.vm_refcnt.compare_exchange(count, count + kVmaLockOffset));
  const std::uint32_t alone = kVmaLockOffset + (detaching ? 0 : 1);
  const auto is_alone = [&] { return vma.vm_refcnt.load() == alone; };
  if (is_alone()) return true;
  mark::hit(Mark::kVmaUserWaited);
  vma.vm_mm->vma_writer_wait.wait(is_alone);
  return true;
}

void exit_locked(Vma& vma) { vma.vm_refcnt.fetch_sub(kVmaLockOffset); }

// One look for a vma; kDetached: it has left the tree since it was found there.
StartRead try_lock(Machine& m, Mm& mm, VirtAddr addr, Vma*& vma) {
  RcuReadGuard rcu(m.rcu);
  vma = mm.mm_mt.walk(addr);
  if (vma == nullptr) return StartRead::kBusy;
  // Without an anchor it would share a neighbour's, and those are not locked.
  bool may_have_anon =
      bug::armed(Bug::kVmaAnonTestedUnlocked) && m.scheme().may_have_anon(*vma);
  const StartRead started = vma_start_read(m, mm, *vma, rcu);
  if (started != StartRead::kLocked) return started;
  may_have_anon = may_have_anon || m.scheme().may_have_anon(*vma);
  if (vma->contains(addr) && may_have_anon) return StartRead::kLocked;
  drop_reader(*vma);
  return StartRead::kBusy;
}

}  // namespace

Vma* lock_vma_under_rcu(Machine& m, Mm& mm, VirtAddr addr) {
  Vma* vma = nullptr;
  StartRead started = try_lock(m, mm, addr, vma);
  // Another one may have come in its place: as often as it likes, in the kernel.
  if (started == StartRead::kDetached) started = try_lock(m, mm, addr, vma);
  return started == StartRead::kLocked ? vma : nullptr;
}

void vma_end_read(Vma& vma) { drop_reader(vma); }

void vma_lock_write(Vma& vma) {
  might_sleep();
  const std::uint32_t now = vma.vm_mm->vma_version.peek();
  const bool held_for_writing = now % 2 != 0;
  if (!held_for_writing || vma.vm_lock_seq.peek() == now) return;
  const bool entered = enter_locked(vma, false);
  vma.vm_lock_seq.store(now, kRelaxed);
  if (entered) exit_locked(vma);
}

void vma_mark_attached(Vma& vma) {
  const bool locked = vma.vm_lock_seq.peek() == vma.vm_mm->vma_version.peek();
  invariant(Inv::kVmaAttachedLocked, locked && vma_is_detached(vma));
  vma.vm_refcnt.store(1);
}

void vma_mark_detached(Vma& vma) {
  might_sleep();
  if (vma.vm_refcnt.fetch_sub(1) == 1) return;
  if (enter_locked(vma, true)) exit_locked(vma);
}

bool vma_has_readers(const Vma& vma) {
  return (vma.vm_refcnt.peek() & ~kVmaLockOffset) > 1;
}

bool vma_is_detached(const Vma& vma) { return vma.vm_refcnt.peek() == 0; }

}  // namespace racier
