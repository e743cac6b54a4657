// core/mm/vma_cache.cc - counts users, tells versions apart, invalidates, waits.
//
// Two words decide who has a vma: how many use it, and the mm's version, which is odd
// while somebody may change vmas.  A user adds itself and then reads the version; who
// changes vmas makes the version odd and then reads the count.  All four accesses are
// sequentially consistent, so one sees the other.  What a user finds it has found in
// the time of one version, so that it is no vma of an older time that waits to be
// freed.
//
// A count may rise for a moment in a vma that is about to be freed: its memory, and
// that of the tables on the way to it, stay until a grace period has passed.
//
// Where vmas have locks (lookup=per_vma) all of this is vma_lock.cc's.
//
// Tested by vma_cache_test.cc and corpus/programs/vma_cache*.racier.
#include "core/mm/vma_cache.h"

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/mm/vma_lock.h"
#include "core/objects/ptl.h"
#include "core/rmap/scheme.h"
#include "core/sync/maybe_guard.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

constexpr auto kSeqCst = std::memory_order_seq_cst;

bool looks_up_unlocked(const Machine& m) {
  return m.options().period.lookup == VmaLookup::kKamezawa;
}

bool has_vma_locks(const Machine& m) {
  return m.options().period.lookup == VmaLookup::kPerVma;
}

bool is_being_changed(std::uint32_t version) { return version % 2 != 0; }

// Context: an RCU read section.
Vma* find_cached(Machine& m, const Mm& mm, VirtAddr addr) {
  const Pfn table = find_pte_table_rcu(m.frames, mm.context, addr);
  return table == kNoPfn ? nullptr : m.page(table).cached_vma.load();
}

void vma_hold(Vma& vma) { vma.cache_access.fetch_add(1, kSeqCst); }

// Context: an RCU read section: who waits may be gone with the vma before it is asked
// whether he waits.
void drop_count(Vma& vma) {
  if (vma.cache_access.fetch_sub(1, kSeqCst) != 1) return;
  fence(kSeqCst);  // pairs with that of who joins the queue
  if (vma.cache_wait.active()) vma.cache_wait.wake_all();
}

// Takes `vma` out of the caches of its range.
void invalidate(Machine& m, const Vma& vma) {
  Mm& mm = *vma.vm_mm;
  const auto clear = [&](VirtRange part, Pfn table) {
    const PtlGuard guard(m, mm, part.start);
    Atomic<Vma*>& cached = m.page(table).cached_vma;
    if (cached.load() == &vma) cached.store(nullptr);
  };
  for_each_pte_table(m.frames, mm.context, vma.range(), clear);
}

void wait_for_users(Vma& vma) {
  const auto unused = [&] { return vma.cache_access.load(kSeqCst) == 0; };
  if (unused()) return;
  mark::hit(Mark::kVmaUserWaited);
  vma.cache_wait.wait(unused);
}

}  // namespace

MmapWriteGuard::MmapWriteGuard(const Machine& m, Mm& mm, int nest,
                               Where where) NO_THREAD_SAFETY_ANALYSIS
    : mm_(mm),
      versions_(has_vma_locks(m) || (looks_up_unlocked(m) && nest == 0)),
      guard_(mm.mmap_sem, nest, where) {
  if (versions_) mm_.vma_version.fetch_add(1, kSeqCst);
}

MmapWriteGuard::~MmapWriteGuard() noexcept(false) {
  if (!run_is_over()) end_changes();
}

void MmapWriteGuard::downgrade(Where where) NO_THREAD_SAFETY_ANALYSIS {
  end_changes();
  guard_.downgrade(where);
}

void MmapWriteGuard::end_changes() {
  if (versions_) mm_.vma_version.fetch_add(1, kSeqCst);
  versions_ = false;
}

Vma* lookup_vma_cache(Machine& m, Mm& mm, VirtAddr addr) {
  if (has_vma_locks(m)) return lock_vma_under_rcu(m, mm, addr);
  if (!looks_up_unlocked(m)) return nullptr;
  const std::uint32_t version = mm.vma_version.load(kSeqCst);
  if (is_being_changed(version)) return nullptr;
  const RcuReadGuard rcu(m.rcu);
  Vma* const vma = find_cached(m, mm, addr);
  if (vma == nullptr) return nullptr;
  vma_hold(*vma);
  const bool same_version = still(mm.vma_version.load(kSeqCst) == version);
  // Without an anchor it would share a neighbour's, and those stay under mmap_sem only.
  const bool there = same_version && still(vma->contains(addr));
  if (there && m.scheme().may_have_anon(*vma)) return vma;
  if (!same_version) mark::hit(Mark::kVmaChangedUnderLookup);
  drop_count(*vma);
  return nullptr;
}

void vma_release(Machine& m, Vma& vma) {
  if (has_vma_locks(m)) return vma_end_read(vma);
  MaybeGuard<RcuReadGuard> rcu;
  if (!bug::armed(Bug::kVmaReleaseAfterDrop))
    rcu.emplace(m.rcu, std::source_location::current());
  drop_count(vma);
}

void update_vma_cache(Machine& m, Vma& vma, VirtAddr addr) {
  if (!looks_up_unlocked(m)) return;
  Mm& mm = *vma.vm_mm;
  // Who makes the version odd clears the cache after that, under the lock that is held.
  const bool in_use = bug::armed(Bug::kVmaCacheRefilledByUser) ||
                      !is_being_changed(mm.vma_version.load());
  if (!still(in_use)) return;
  m.page(find_pte_table(m.frames, mm.context, addr)).cached_vma.store(&vma);
}

void vma_start_write(Machine& m, Vma& vma, std::source_location where) {
  if (sync::is_left_out(current(), SiteKind::kLock, "vma lock", where)) return;
  if (has_vma_locks(m)) return vma_lock_write(vma);
  if (!looks_up_unlocked(m)) return;
  invalidate(m, vma);
  wait_for_users(vma);
}

void vmas_start_write(Machine& m, Mm& mm, VirtRange range, std::source_location where) {
  if (!looks_up_unlocked(m) && !has_vma_locks(m)) return;
  Vma* vma = mm.vmas.find_intersection(range);
  for (; vma != nullptr && vma->vm_start < range.end; vma = VmaTree::next(*vma)) {
    vma_start_write(m, *vma, where);
  }
}

void assert_vma_stays(const Vma& vma, std::source_location where) {
  const bool used = vma.cache_access.peek() != 0 || vma_has_readers(vma);
  if (!used) vma.vm_mm->mmap_sem.assert_held_shared(where);
}

Vma* alloc_vma_struct(Machine& m) {
  Vma* const vma = m.vma_cache.create();
  if (vma != nullptr && has_vma_locks(m)) vma->renew();
  return vma;
}

void vma_attach(Machine& m, Vma& vma) {
  if (!has_vma_locks(m)) return;
  vma_lock_write(vma);
  vma_mark_attached(vma);
}

void vma_detach(const Machine& m, Vma& vma) {
  if (has_vma_locks(m)) vma_mark_detached(vma);
}

void free_vma_struct(Machine& m, Vma& vma) {
  if (has_vma_locks(m)) invariant(Inv::kFreedVmaIsDetached, vma_is_detached(vma));
  if (!looks_up_unlocked(m) || bug::armed(Bug::kVmaHoldAfterFree)) {
    return m.vma_cache.destroy(&vma);
  }
  vma.rcu.context = &m;
  vma.rcu.callback = [](RcuHead& head, void* machine) {
    static_cast<Machine*>(machine)->vma_cache.destroy(&Vma::of(head));
  };
  m.rcu.call(vma.rcu);
}

}  // namespace racier
