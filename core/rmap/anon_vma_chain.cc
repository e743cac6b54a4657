// core/rmap/anon_vma_chain.cc - who maps an anonymous page: its anon_vma, and only
// those who may have it from there.
//
// The analysis of locks cannot follow a lock that is found through a pointer which
// changes (root): it is off where that lock is taken.
//
// Tested by contract_test.cc and anon_vma_chain_test.cc.
#include "core/rmap/anon_vma_chain.h"

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/rmap/anon_vma_chain_words.h"
#include "core/sync/context.h"
#include "core/sync/sites.h"

namespace racier::rmap {
namespace {

// Shows whoever may map `page`.  Context: the root's lock held.
bool walk_tree(const Page& page, const ChainedAnonVma& anon_vma,
               FunctionRef<Walk(const Mapping&)> visit) {
  const std::uint64_t index = page.index.load(std::memory_order_relaxed);
  for (AnonVmaChain* avc = anon_vma.tree.first(index); avc != nullptr;
       avc = AnonVmaTree::next(*avc, index)) {
    if (visit({avc->vma, vma_address(*avc->vma, index)}) == Walk::kStop) return false;
  }
  return true;
}

constexpr Traits kTraits{"anon_vma_chain", "since 2.6.34", true};

}  // namespace

// ---- References ---------------------------------------------------------------------

AnonVmaChains::AnonVmaChains(Machine& machine)
    : Scheme(machine),
      anon_vmas_("anon_vma", SlabKind::kTypesafeByRcu, machine.slab_pages, machine.rcu),
      avcs_("anon_vma_chain", SlabKind::kPlain, machine.slab_pages, machine.rcu) {}

const Traits& AnonVmaChains::traits() const { return kTraits; }

void AnonVmaChains::reset() {
  anon_vmas_.reset();
  avcs_.reset();
}

// Returns a new anon_vma with one reference, for its tree to be; without a parent a
// root. Nullptr: no memory.
ChainedAnonVma* AnonVmaChains::create_anon_vma(ChainedAnonVma* parent) {
  ChainedAnonVma* const anon_vma = anon_vmas_.create();
  if (anon_vma == nullptr) return nullptr;
  anon_vma->parent = parent != nullptr ? parent : anon_vma;
  anon_vma->num_children = parent != nullptr ? 0 : 1;
  anon_vma->num_active_vmas = 0;
  anon_vma->root.store(parent != nullptr ? &root_of(*parent) : anon_vma);
  anon_vma->refs.set(1);
  return anon_vma;
}

// Context: may sleep; the root's lock not held.
void AnonVmaChains::put_anon_vma(ChainedAnonVma& anon_vma) {
  if (anon_vma.refs.dec_and_test()) last_put_of(anon_vma);
}

// Kernel: __put_anon_vma().
void AnonVmaChains::last_put_of(ChainedAnonVma& anon_vma) {
  ChainedAnonVma& root = root_of(anon_vma);
  free_anon_vma(anon_vma, root);
  if (&root != &anon_vma && root.refs.dec_and_test()) free_anon_vma(root, root);
}

// A walk may have locked the root while the page was still mapped, and then needs no
// reference: it holds the anon_vma by the lock.  One that locks it later finds the page
// not mapped.
void AnonVmaChains::free_anon_vma(ChainedAnonVma& anon_vma, ChainedAnonVma& root) {
  might_sleep();
  { const WriteGuard all_walks_are_over(root.rwsem); }
  anon_vmas_.destroy(&anon_vma);
}

// Returns the anon_vma of `page` with a reference, or nullptr if the page is not
// mapped. Kernel: page_get_anon_vma().
ChainedAnonVma* AnonVmaChains::get_anon_vma(Page& page) {
  RcuReadGuard rcu(machine().rcu);
  if (!still(page.is_mapped())) return nullptr;
  const std::uintptr_t mapping = page.mapping.load();
  if ((mapping & kPageMappingAnon) == 0) return nullptr;
  auto* const anon_vma = reinterpret_cast<ChainedAnonVma*>(mapping & ~kPageMappingAnon);
  if (!anon_vma->refs.inc_not_zero_acquire()) return nullptr;
  // The memory may have become another anon_vma before.
  if (still(page.is_mapped())) return anon_vma;
  rcu.unlock();
  put_anon_vma(*anon_vma);
  return nullptr;
}

// Returns the anon_vma of `page` with its root's lock held for reading; or nullptr if
// the page is not mapped, with nothing held. Kernel: page_lock_anon_vma_read().
ChainedAnonVma* AnonVmaChains::lock_anon_vma_read(Page& page)
    NO_THREAD_SAFETY_ANALYSIS {
  // Until the lock is ours only the read section keeps the memory an anon_vma.
  RcuReadGuard rcu(machine().rcu);
  if (!still(page.is_mapped())) return nullptr;
  const std::uintptr_t mapping = page.mapping.load();
  if ((mapping & kPageMappingAnon) == 0) return nullptr;
  auto& anon_vma = *reinterpret_cast<ChainedAnonVma*>(mapping & ~kPageMappingAnon);
  ChainedAnonVma& root = root_of(anon_vma);
  if (!root.rwsem.down_read_trylock()) return wait_for_anon_vma(page, anon_vma, rcu);
  // A page that is mapped still has its anon_vma, which cannot go while we hold the
  // lock. Of one that is not the anon_vma may have got another root since we looked.
  if (bug::armed(Bug::kRootLockChangedUnderWalker) || still(page.is_mapped())) {
    return &anon_vma;
  }
  root.rwsem.up_read();
  return nullptr;
}

// Likewise, when that takes a reference, and time.
ChainedAnonVma* AnonVmaChains::wait_for_anon_vma(
    Page& page, ChainedAnonVma& anon_vma, RcuReadGuard& rcu) NO_THREAD_SAFETY_ANALYSIS {
  if (!anon_vma.refs.inc_not_zero_acquire()) return nullptr;
  if (!still(page.is_mapped())) {
    // Ours may be the last reference, and then the put sleeps.
    if (!bug::armed(Bug::kPutAnonVmaSleepsInRcu)) rcu.unlock();
    put_anon_vma(anon_vma);
    return nullptr;
  }
  rcu.unlock();
  RwSemaphore& rwsem = root_of(anon_vma).rwsem;
  rwsem.down_read();
  // From here on the lock is enough; who drops the last reference waits for it.
  if (!anon_vma.refs.dec_and_test()) return &anon_vma;
  rwsem.up_read();
  last_put_of(anon_vma);
  return nullptr;
}

// The anon_vma of a page, locked for reading for a scope; none if it is not mapped.
class AnonVmaChains::PageLocked {
 public:
  PageLocked(AnonVmaChains& scheme, Page& page)
      : anon_vma_(scheme.lock_anon_vma_read(page)) {}
  ~PageLocked() noexcept(false) NO_THREAD_SAFETY_ANALYSIS {
    if (anon_vma_ != nullptr && !run_is_over()) root_of(*anon_vma_).rwsem.up_read();
  }
  PageLocked(const PageLocked&) = delete;
  PageLocked& operator=(const PageLocked&) = delete;

  ChainedAnonVma* get() const { return anon_vma_; }

 private:
  ChainedAnonVma* const anon_vma_;
};

// ---- Pages --------------------------------------------------------------------------

// Kernel: __page_set_anon_rmap().
void AnonVmaChains::do_add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket) {
  ChainedAnonVma* anon_vma = anon_vma_of(vma);
  invariant(Inv::kAnonPageNeedsAnonVma, anon_vma != nullptr);
  // Whoever sees the count raised finds what it needs to walk.  A page without mapping
  // is new, or locked by us: nobody else sets these.  It keeps what it gets until one
  // process has it alone (move_anon()), or it is free: whoever may map it again has it
  // from somebody whose chain held this anon_vma.
  if (page.mapping.load() == 0) {
    // A page from swap may be others', too, older ones: all of them are in the root's
    // tree.
    const bool shared = page.test(PageFlag::kSwapCache);
    if (shared && !bug::armed(Bug::kSwapinYoungestAnonVma))
      anon_vma = &root_of(*anon_vma);
    page.index.store(vma.index_of(addr), std::memory_order_relaxed);
    page.mapping.store(reinterpret_cast<std::uintptr_t>(anon_vma) | kPageMappingAnon);
  }
  page.mapcount.fetch_add(1);
}

void AnonVmaChains::do_add_file(Page& page, Vma&, VirtAddr, Ticket) {
  page.mapcount.fetch_add(1);
}

// Walks that come from the anon_vma which the page had find `vma`, too: it is in the
// chain of that vma, which so keeps it.
void AnonVmaChains::do_move_anon(Page& page, Vma& vma) {
  ChainedAnonVma* const anon_vma = anon_vma_of(vma);
  invariant(Inv::kAnonPageNeedsAnonVma, anon_vma != nullptr);
  const auto mapping = reinterpret_cast<std::uintptr_t>(anon_vma);
  if (page.mapping.load() == (mapping | kPageMappingAnon)) return;
  // One store: a walk that does not hold the page lock takes what has no tag for a
  // file.
  if (bug::armed(Bug::kMappingStoreTearing)) page.mapping.store(mapping);
  page.mapping.store(mapping | kPageMappingAnon);
  mark::hit(Mark::kMovedAnonRmap);
}

void AnonVmaChains::do_dup(Page& page, Vma&, VirtAddr, Ticket) {
  page.mapcount.fetch_add(1);
}

void AnonVmaChains::do_remove(Page& page, Vma&, VirtAddr) {
  page.mapcount.fetch_sub(1);
}

bool AnonVmaChains::do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  const PageLocked locked(*this, page);
  const ChainedAnonVma* const anon_vma = locked.get();
  return anon_vma == nullptr || walk_tree(page, *anon_vma, visit);
}

Hold AnonVmaChains::do_hold(Page& page) {
  ChainedAnonVma* const anon_vma = get_anon_vma(page);
  return anon_vma != nullptr ? Hold(anon_vma) : Hold{};
}

void AnonVmaChains::do_release(Hold hold) {
  put_anon_vma(*static_cast<ChainedAnonVma*>(hold.anchor()));
}

bool AnonVmaChains::do_walk_held(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  const std::uintptr_t mapping = page.mapping.load();
  auto& anon_vma = *reinterpret_cast<ChainedAnonVma*>(mapping & ~kPageMappingAnon);
  const ReadGuard guard(root_of(anon_vma).rwsem);
  return walk_tree(page, anon_vma, visit);
}

}  // namespace racier::rmap
