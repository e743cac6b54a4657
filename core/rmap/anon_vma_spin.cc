// core/rmap/anon_vma_spin.cc - who maps an anonymous page: ask its anon_vma.
// Tested by contract_test.cc and anon_vma_spin_test.cc.
#include "core/rmap/anon_vma_spin.h"

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/rmap/mergeable.h"
#include "core/sync/sites.h"

namespace racier::rmap {
namespace {

AnonVma* anon_vma_of(const Vma& vma) {
  return reinterpret_cast<AnonVma*>(vma.rmap.anchor.load());
}

AnonVma* peek_anon_vma_of(const Vma& vma) {
  return reinterpret_cast<AnonVma*>(
      vma.rmap.anchor.raw().load(std::memory_order_relaxed));
}

// Returns a neighbour's anon_vma that `vma` may share, or nullptr.
AnonVma* find_mergeable_anon_vma(Vma& vma) {
  AnonVma* found = nullptr;
  find_mergeable(vma, [&](Vma& neighbour) {
    found = anon_vma_of(neighbour);
    return found != nullptr;
  });
  return found;
}

constexpr Traits kTraits{"anon_vma_spin", "2.6.9 to 2.6.33", false};

}  // namespace

AnonVmaSpin::AnonVmaSpin(Machine& machine)
    : Scheme(machine),
      anon_vmas_("anon_vma", SlabKind::kTypesafeByRcu, machine.slab_pages,
                 machine.rcu) {}

const Traits& AnonVmaSpin::traits() const { return kTraits; }

void AnonVmaSpin::reset() {
  anon_vmas_.reset();
  const bool plain = bug::armed(Bug::kAnonVmaFreedBeforeLock);
  anon_vmas_.set_kind(plain ? SlabKind::kPlain : SlabKind::kTypesafeByRcu);
}

Result<Ticket> AnonVmaSpin::do_prepare(Vma& vma) {
  if (anon_vma_of(vma) != nullptr) return Ticket{};
  AnonVma* const mergeable = find_mergeable_anon_vma(vma);
  AnonVma* const anon_vma = mergeable != nullptr ? mergeable : anon_vmas_.create();
  if (anon_vma == nullptr) return Status::kNoMemory;
  const bool joined = join(vma, *anon_vma);
  if (!joined && mergeable == nullptr) anon_vmas_.destroy(anon_vma);
  return Ticket{};
}

// Puts `vma` on the list of `anon_vma`; false if another thread gave it one meanwhile.
// Two locks: the anon_vma's for the list; page_table_lock, as threads of one mm may be
// here at once, holding mmap_sem for reading only.
// The analysis cannot follow a choice between two locks.
bool AnonVmaSpin::join(Vma& vma, AnonVma& anon_vma) NO_THREAD_SAFETY_ANALYSIS {
  SpinLock& ptl = vma.vm_mm->page_table_lock;
  const bool ptl_first = bug::armed(Bug::kPreparePtlBeforeAnonLock);
  const SpinGuard outer(ptl_first ? ptl : anon_vma.lock);
  const SpinGuard inner(ptl_first ? anon_vma.lock : ptl);
  if (!still(anon_vma_of(vma) == nullptr)) return false;
  vma.rmap.anchor.store(reinterpret_cast<std::uintptr_t>(&anon_vma));
  anon_vma.vmas.push_front(vma.rmap);
  return true;
}

void AnonVmaSpin::do_add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket) {
  AnonVma* const anon_vma = anon_vma_of(vma);
  invariant(Inv::kAnonPageNeedsAnonVma, anon_vma != nullptr);
  // Whoever sees the count raised finds what it needs to walk.  A page that is not
  // mapped is new, or locked by us: nobody else sets these.
  if (!page.is_mapped()) {
    const auto mapping = reinterpret_cast<std::uintptr_t>(anon_vma);
    if (bug::armed(Bug::kAnonFlagAndMappingTorn)) page.mapping.store(mapping);
    page.mapping.store(mapping | kPageMappingAnon);
    page.index.store(vma.index_of(addr), std::memory_order_relaxed);
  }
  page.mapcount.fetch_add(
      1, bug::weaken(Bug::kMapcountRaisedUnordered, std::memory_order_acq_rel));
}

void AnonVmaSpin::do_add_file(Page& page, Vma&, VirtAddr, Ticket) {
  page.mapcount.fetch_add(1);
}

void AnonVmaSpin::do_dup(Page& page, Vma&, VirtAddr, Ticket) {
  page.mapcount.fetch_add(1);
}

void AnonVmaSpin::do_remove(Page& page, Vma&, VirtAddr) {
  const bool last = page.mapcount.fetch_sub(1) == 0;
  // page->mapping stays: a swap-in may have mapped the page again since the count fell.
  if (bug::armed(Bug::kRemoveRmapClearsMapping) && last && page.is_anon()) {
    page.mapping.store(0);
  }
}

Status AnonVmaSpin::do_link(Vma& dst, Vma& src, Why) {
  AnonVma* const anon_vma = anon_vma_of(src);
  if (anon_vma == nullptr) return Status::kOk;
  const SpinGuard guard(anon_vma->lock);
  dst.rmap.anchor.store(reinterpret_cast<std::uintptr_t>(anon_vma));
  anon_vma->vmas.push_back(dst.rmap);  // (2.6.9: in front)
  return Status::kOk;
}

void AnonVmaSpin::do_unlink(Vma& vma) {
  AnonVma* const anon_vma = anon_vma_of(vma);
  if (anon_vma == nullptr) return;
  bool last = false;
  {
    const SpinGuard guard(anon_vma->lock);
    anon_vma->vmas.erase(vma.rmap);
    vma.rmap.anchor.store(0);
    last = anon_vma->vmas.empty();
  }
  if (last) anon_vmas_.destroy(anon_vma);
}

// All that have an anon_vma have the same.
void AnonVmaSpin::do_adjust(std::span<Vma* const> vmas, FunctionRef<void()> change) {
  AnonVma* anon_vma = nullptr;
  for (Vma* const vma : vmas) {
    if (anon_vma == nullptr) anon_vma = anon_vma_of(*vma);
  }
  if (anon_vma == nullptr) return change();
  const SpinGuard guard(anon_vma->lock);
  change();
}

bool AnonVmaSpin::do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  // Until the lock is ours only the read section keeps the memory an anon_vma.  That it
  // is this page's holds at the moment of the test, and no longer.
  RcuReadGuard rcu(machine().rcu);
  if (!still(page.is_mapped())) return true;
  const std::uintptr_t mapping = page.mapping.load();
  if ((mapping & kPageMappingAnon) == 0) return true;
  AnonVma& anon_vma = *reinterpret_cast<AnonVma*>(mapping & ~kPageMappingAnon);
  const SpinGuard guard(anon_vma.lock);
  if (bug::armed(Bug::kLockAnonVmaPreemptRcu)) rcu.unlock();
  return walk_list(page, anon_vma, visit);
}

// Context: the anon_vma's lock held.
bool AnonVmaSpin::walk_list(const Page& page, AnonVma& anon_vma,
                            FunctionRef<Walk(const Mapping&)> visit) {
  const std::uint64_t index = page.index.load(std::memory_order_relaxed);
  for (RmapOfVma& on_list : anon_vma.vmas) {
    Vma& vma = *on_list.vma;
    const VirtAddr addr = vma_address(vma, index);
    if (addr == kUserEnd) continue;
    if (visit({&vma, addr}) == Walk::kStop) return false;
  }
  return true;
}

// The read section keeps the memory an anon_vma.  If it was the page's when the section
// began, whoever has a migration entry is on its list: while he is, it is not free.
// Kernel: unmap_and_move(), v2.6.35 (67b9509b2c68).
Hold AnonVmaSpin::do_hold(Page& page) {
  RcuReadGuard rcu(machine().rcu);
  if (!bug::armed(Bug::kMigrateUnmappedAnon) && !still(page.is_mapped())) return {};
  machine().rcu.read_lock();  // the caller's
  return Hold(this);
}

void AnonVmaSpin::do_release(Hold) { machine().rcu.read_unlock(); }

bool AnonVmaSpin::do_walk_held(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  const std::uintptr_t mapping = page.mapping.load();
  AnonVma& anon_vma = *reinterpret_cast<AnonVma*>(mapping & ~kPageMappingAnon);
  const SpinGuard guard(anon_vma.lock);
  return walk_list(page, anon_vma, visit);
}

// Every vma with an anon_vma is on its list, every list holds only such vmas, and there
// is no anon_vma besides; free ones are as a walk that comes late may meet them.  C6,
// C7.  No lock is needed at quiescence.
void AnonVmaSpin::audit(std::span<Vma* const> vmas) NO_THREAD_SAFETY_ANALYSIS {
  std::uint32_t anchored = 0;
  std::uint32_t listed = 0;
  std::uint32_t anchors = 0;
  for (Vma* const vma : vmas) {
    AnonVma* const anon_vma = peek_anon_vma_of(*vma);
    if (anon_vma == nullptr) continue;
    ++anchored;
    invariant(Inv::kVmaIsOnItsAnonVma, !vma->rmap.node.empty());
    // Each list is counted once: by the vma that stands first on it.
    if (anon_vma->vmas.front() != &vma->rmap) continue;
    ++anchors;
    for (RmapOfVma& on_list : anon_vma->vmas) {
      ++listed;
      invariant(Inv::kVmaIsOnItsAnonVma, peek_anon_vma_of(*on_list.vma) == anon_vma);
    }
  }
  invariant(Inv::kVmaIsOnItsAnonVma, listed == anchored);
  invariant(Inv::kAnonVmaHasVmas, anchors == anon_vmas_.live_objects());
  // Likewise.
  anon_vmas_.for_each_free([](AnonVma& anon_vma) NO_THREAD_SAFETY_ANALYSIS {
    invariant(Inv::kFreeAnonVmaIsIdle,
              anon_vma.vmas.empty() && !anon_vma.lock.is_locked());
  });
}

}  // namespace racier::rmap
