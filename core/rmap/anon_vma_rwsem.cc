// core/rmap/anon_vma_rwsem.cc - who maps an anonymous page: hold its anon_vma, and ask.
// Tested by contract_test.cc and anon_vma_rwsem_test.cc.
#include "core/rmap/anon_vma_rwsem.h"

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/rmap/mergeable.h"
#include "core/sync/maybe_guard.h"
#include "core/sync/sites.h"

namespace racier::rmap {
namespace {

CountedAnonVma* anon_vma_of(const Vma& vma) {
  return reinterpret_cast<CountedAnonVma*>(vma.rmap.anchor.load());
}

CountedAnonVma* peek_anon_vma_of(const Vma& vma) {
  return reinterpret_cast<CountedAnonVma*>(
      vma.rmap.anchor.raw().load(std::memory_order_relaxed));
}

// Returns a neighbour's anon_vma that `vma` may share, or nullptr.  The neighbour's
// reference keeps it while mmap_sem is held.
CountedAnonVma* find_mergeable_anon_vma(Vma& vma) {
  CountedAnonVma* found = nullptr;
  find_mergeable(vma, [&](Vma& neighbour) {
    found = anon_vma_of(neighbour);
    return found != nullptr;
  });
  return found;
}

constexpr Traits kTraits{"anon_vma_rwsem", "proposed for 2.6.26", true};

}  // namespace

// A walk's reference to the anon_vma of a page, for a scope; none if the page is not
// mapped.
class AnonVmaRwsem::Grabbed {
 public:
  Grabbed(AnonVmaRwsem& scheme, Page& page)
      : scheme_(scheme), anon_vma_(scheme.grab_anon_vma(page)) {}
  ~Grabbed() noexcept(false) {
    if (anon_vma_ != nullptr && !run_is_over()) scheme_.put_anon_vma(*anon_vma_);
  }
  Grabbed(const Grabbed&) = delete;
  Grabbed& operator=(const Grabbed&) = delete;

  CountedAnonVma* get() const { return anon_vma_; }

 private:
  AnonVmaRwsem& scheme_;
  CountedAnonVma* const anon_vma_;
};

AnonVmaRwsem::AnonVmaRwsem(Machine& machine)
    : Scheme(machine),
      anon_vmas_("anon_vma", SlabKind::kTypesafeByRcu, machine.slab_pages,
                 machine.rcu) {}

const Traits& AnonVmaRwsem::traits() const { return kTraits; }

// ---- References ---------------------------------------------------------------------

// Returns the anon_vma of `page` with a reference taken, or nullptr if the page is not
// mapped: then it may be no longer there.
CountedAnonVma* AnonVmaRwsem::grab_anon_vma(Page& page) {
  RcuReadGuard rcu(machine().rcu);
  if (!still(page.is_mapped())) return nullptr;
  const std::uintptr_t mapping = page.mapping.load();
  if ((mapping & kPageMappingAnon) == 0) return nullptr;
  auto* const anon_vma = reinterpret_cast<CountedAnonVma*>(mapping & ~kPageMappingAnon);
  if (!anon_vma->refs.inc_not_zero_acquire()) return nullptr;
  // The count may have been another's, who got the memory since we looked.  A page that
  // is mapped now still has its vmas on the list of the anon_vma that it names.
  if (still(page.is_mapped())) return anon_vma;
  rcu.unlock();
  put_anon_vma(*anon_vma);
  return nullptr;
}

void AnonVmaRwsem::put_anon_vma(CountedAnonVma& anon_vma) {
  if (anon_vma.refs.dec_and_test()) anon_vmas_.destroy(&anon_vma);
}

// ---- Vmas ---------------------------------------------------------------------------

Result<Ticket> AnonVmaRwsem::do_prepare(Vma& vma) {
  if (anon_vma_of(vma) != nullptr) return Ticket{};
  CountedAnonVma* const mergeable = find_mergeable_anon_vma(vma);
  const bool fresh = mergeable == nullptr;
  CountedAnonVma* const anon_vma = fresh ? anon_vmas_.create() : mergeable;
  if (anon_vma == nullptr) return Status::kNoMemory;
  const bool joined = join(vma, *anon_vma, fresh);
  if (!joined && fresh) anon_vmas_.destroy(anon_vma);
  return Ticket{};
}

// Puts `vma` on the list of `anon_vma`; false if another thread gave it one meanwhile.
// A fresh anon_vma is locked like any other: a late walk may have it.
bool AnonVmaRwsem::join(Vma& vma, CountedAnonVma& anon_vma, bool fresh) {
  MaybeGuard<WriteGuard> guard;
  if (!fresh || !bug::armed(Bug::kNewAnonVmaLinkedUnlocked))
    guard.emplace(anon_vma.sem, std::source_location::current());
  const SpinGuard ptl(vma.vm_mm->page_table_lock);
  if (!still(anon_vma_of(vma) == nullptr)) return false;
  anon_vma.sem.assert_held();
  if (fresh) {
    anon_vma.refs.set(1);
  } else if (!bug::armed(Bug::kMergeableAnonVmaUnpinned)) {
    anon_vma.refs.inc();
  }
  vma.rmap.anchor.store(reinterpret_cast<std::uintptr_t>(&anon_vma));
  anon_vma.vmas.push_front(vma.rmap);
  return true;
}

Status AnonVmaRwsem::do_link(Vma& dst, Vma& src, Why) {
  CountedAnonVma* const anon_vma = anon_vma_of(src);
  if (anon_vma == nullptr) return Status::kOk;
  anon_vma->refs.inc();
  const WriteGuard guard(anon_vma->sem);
  dst.rmap.anchor.store(reinterpret_cast<std::uintptr_t>(anon_vma));
  anon_vma->vmas.push_back(dst.rmap);
  return Status::kOk;
}

void AnonVmaRwsem::do_unlink(Vma& vma) {
  CountedAnonVma* const anon_vma = anon_vma_of(vma);
  if (anon_vma == nullptr) return;
  {
    const WriteGuard guard(anon_vma->sem);
    anon_vma->vmas.erase(vma.rmap);
    vma.rmap.anchor.store(0);
  }
  put_anon_vma(*anon_vma);
}

// All that have an anon_vma have the same.
void AnonVmaRwsem::do_adjust(std::span<Vma* const> vmas, FunctionRef<void()> change) {
  CountedAnonVma* anon_vma = nullptr;
  for (Vma* const vma : vmas) {
    if (anon_vma == nullptr) anon_vma = anon_vma_of(*vma);
  }
  if (anon_vma == nullptr) return change();
  const WriteGuard guard(anon_vma->sem);
  change();
}

// ---- Pages --------------------------------------------------------------------------

void AnonVmaRwsem::do_add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket) {
  CountedAnonVma* const anon_vma = anon_vma_of(vma);
  invariant(Inv::kAnonPageNeedsAnonVma, anon_vma != nullptr);
  // Whoever sees the count raised finds what it needs to walk.  A page that is not
  // mapped is new, or locked by us: nobody else sets these.
  if (!page.is_mapped()) {
    page.mapping.store(reinterpret_cast<std::uintptr_t>(anon_vma) | kPageMappingAnon);
    page.index.store(vma.index_of(addr), std::memory_order_relaxed);
  }
  page.mapcount.fetch_add(1);
}

void AnonVmaRwsem::do_add_file(Page& page, Vma&, VirtAddr, Ticket) {
  page.mapcount.fetch_add(1);
}

void AnonVmaRwsem::do_dup(Page& page, Vma&, VirtAddr, Ticket) {
  page.mapcount.fetch_add(1);
}

// page->mapping stays: a swap-in may have mapped the page again since the count fell.
void AnonVmaRwsem::do_remove(Page& page, Vma&, VirtAddr) { page.mapcount.fetch_sub(1); }

bool AnonVmaRwsem::do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  const Grabbed grabbed(*this, page);
  CountedAnonVma* const anon_vma = grabbed.get();
  return anon_vma == nullptr || walk_list(page, *anon_vma, visit);
}

bool AnonVmaRwsem::walk_list(const Page& page, CountedAnonVma& anon_vma,
                             FunctionRef<Walk(const Mapping&)> visit) {
  const ReadGuard guard(anon_vma.sem);
  const std::uint64_t index = page.index.load(std::memory_order_relaxed);
  for (RmapOfVma& on_list : anon_vma.vmas) {
    Vma& vma = *on_list.vma;
    const VirtAddr addr = vma_address(vma, index);
    if (addr == kUserEnd) continue;
    if (visit({&vma, addr}) == Walk::kStop) return false;
  }
  return true;
}

Hold AnonVmaRwsem::hold_of(CountedAnonVma* grabbed) {
  return grabbed != nullptr ? Hold(grabbed) : Hold{};
}

void AnonVmaRwsem::do_release(Hold hold) {
  put_anon_vma(*static_cast<CountedAnonVma*>(hold.anchor()));
}

bool AnonVmaRwsem::do_walk_held(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  const std::uintptr_t mapping = page.mapping.load();
  return walk_list(
      page, *reinterpret_cast<CountedAnonVma*>(mapping & ~kPageMappingAnon), visit);
}

// ---- Audit --------------------------------------------------------------------------

// Every vma with an anon_vma is on its list, every list holds only such vmas, and each
// is counted once; there is no anon_vma besides; free ones are as a walk that comes
// late may meet them.  C6, C7.  No lock is needed at quiescence.
void AnonVmaRwsem::audit(std::span<Vma* const> vmas) NO_THREAD_SAFETY_ANALYSIS {
  std::uint32_t anchored = 0;
  for (const Vma* const vma : vmas) {
    if (peek_anon_vma_of(*vma) == nullptr) continue;
    ++anchored;
    invariant(Inv::kVmaIsOnItsAnonVma, !vma->rmap.node.empty());
  }
  std::uint32_t listed = 0;
  // Likewise.
  anon_vmas_.for_each_live([&](CountedAnonVma& anon_vma) NO_THREAD_SAFETY_ANALYSIS {
    invariant(Inv::kAnonVmaHasVmas, !anon_vma.vmas.empty());
    std::int32_t own = 0;
    for (const RmapOfVma& on_list : anon_vma.vmas) {
      ++own;
      invariant(Inv::kVmaIsOnItsAnonVma, peek_anon_vma_of(*on_list.vma) == &anon_vma);
    }
    invariant(Inv::kAnonVmaCountIsItsUsers, anon_vma.refs.read() == own);
    listed += static_cast<std::uint32_t>(own);
  });
  invariant(Inv::kVmaIsOnItsAnonVma, listed == anchored);
  // Likewise.
  anon_vmas_.for_each_free([](CountedAnonVma& anon_vma) NO_THREAD_SAFETY_ANALYSIS {
    invariant(Inv::kFreeAnonVmaIsIdle, anon_vma.refs.read() == 0 &&
                                           anon_vma.vmas.empty() &&
                                           !anon_vma.sem.is_locked());
  });
}

}  // namespace racier::rmap
