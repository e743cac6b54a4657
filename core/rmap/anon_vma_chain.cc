// core/rmap/anon_vma_chain.cc - who maps an anonymous page: its anon_vma, and only
// those who may have it from there.
//
// The analysis of locks cannot follow a lock that is found through a pointer which
// changes (root): it is off where that lock is taken.
//
// Tested by anon_vma_chain_test.cc.
#include "core/rmap/anon_vma_chain.h"

#include <algorithm>
#include <cstddef>

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/rmap/mergeable.h"
#include "core/sync/context.h"

namespace racier::rmap {
namespace {

ChainedAnonVma* anon_vma_of(const Vma& vma) {
  return reinterpret_cast<ChainedAnonVma*>(
      vma.rmap.anchor.load(std::memory_order_acquire));
}

ChainedAnonVma* peek_anon_vma_of(const Vma& vma) {
  return reinterpret_cast<ChainedAnonVma*>(
      vma.rmap.anchor.raw().load(std::memory_order_relaxed));
}

void set_anon_vma_of(Vma& vma, ChainedAnonVma* anon_vma) {
  vma.rmap.anchor.store(reinterpret_cast<std::uintptr_t>(anon_vma));
}

ChainedAnonVma& root_of(const ChainedAnonVma& anon_vma) {
  return *anon_vma.root.load(std::memory_order_acquire);
}

ChainedAnonVma& peek_root_of(const ChainedAnonVma& anon_vma) {
  return *anon_vma.root.raw().load(std::memory_order_relaxed);
}

// The avcs of a vma, newest first.  Their head is the node by which other schemes put
// the vma itself on a list.
class Chain {
 public:
  explicit Chain(Vma& vma) : head_(vma.rmap.node) {}

  bool empty() const { return head_.empty(); }
  bool singular() const { return !empty() && head_.next == head_.prev; }
  std::size_t length() const {
    std::size_t length = 0;
    for (const ListNode* at = head_.next; at != &head_; at = at->next) ++length;
    return length;
  }
  AnonVmaChain& newest() const { return entry(*head_.next); }
  AnonVmaChain& oldest() const { return entry(*head_.prev); }
  void push(AnonVmaChain& avc) { head_.add_after(avc.same_vma); }
  // Shows each, the newest first; `visit` may take it off.
  void for_each(FunctionRef<void(AnonVmaChain&)> visit) const {
    for (ListNode* at = head_.next; at != &head_;) {
      AnonVmaChain& avc = entry(*at);
      at = at->next;
      visit(avc);
    }
  }
  void for_each_from_oldest(FunctionRef<void(AnonVmaChain&)> visit) const {
    for (ListNode* at = head_.prev; at != &head_; at = at->prev) visit(entry(*at));
  }

 private:
  static AnonVmaChain& entry(ListNode& node) {
    return *reinterpret_cast<AnonVmaChain*>(reinterpret_cast<char*>(&node) -
                                            offsetof(AnonVmaChain, same_vma));
  }
  ListNode& head_;
};

// Links a vma and an anon_vma.  Context: the root's lock held (write); the chain's,
// too.
void anon_vma_chain_link(Vma& vma, AnonVmaChain& avc, ChainedAnonVma& anon_vma) {
  avc.vma = &vma;
  avc.anon_vma = &anon_vma;
  Chain(vma).push(avc);
  anon_vma.tree.insert(avc);
}

// Returns a neighbour's anon_vma that `vma` may share, or nullptr: not one with
// ancestors, for `vma` would have to have a chain like it.  Kernel:
// reusable_anon_vma().
ChainedAnonVma* find_mergeable_anon_vma(Vma& vma) {
  ChainedAnonVma* found = nullptr;
  find_mergeable(vma, [&](Vma& neighbour) {
    // Whoever sees the anon_vma sees the chain: a fault of another thread may just have
    // made both.
    ChainedAnonVma* const anon_vma = anon_vma_of(neighbour);
    if (anon_vma != nullptr && Chain(neighbour).singular()) found = anon_vma;
    return found != nullptr;
  });
  return found;
}

// Returns whether a child may have it for its own: nobody has, and no two families of
// children would then share it.  A root is its own child, and has another while it is
// in use at all.
bool is_reusable(const ChainedAnonVma& anon_vma) {
  return anon_vma.num_active_vmas == 0 && anon_vma.num_children < 2;
}

std::uint64_t last_index(const AnonVmaChain& avc) {
  return avc.vma->vm_pgoff + avc.vma->pages() - 1;
}

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

// ---- AnonVmaTree --------------------------------------------------------------------

AnonVmaChain& AnonVmaTree::Traits::entry(TreeNode& node) {
  return *reinterpret_cast<AnonVmaChain*>(reinterpret_cast<char*>(&node) -
                                          offsetof(AnonVmaChain, rb));
}

bool AnonVmaTree::Traits::less(const AnonVmaChain& a, const AnonVmaChain& b) {
  return a.vma->vm_pgoff < b.vma->vm_pgoff;
}

void AnonVmaTree::Traits::update(AnonVmaChain& avc, const AnonVmaChain* left,
                                 const AnonVmaChain* right) {
  std::uint64_t& last = avc.rb_subtree_last;
  last = last_index(avc);
  if (left != nullptr) last = std::max(last, left->rb_subtree_last);
  if (right != nullptr) last = std::max(last, right->rb_subtree_last);
}

AnonVmaChain* AnonVmaTree::first(std::uint64_t index) const {
  AnonVmaChain* avc = tree_.root();
  while (avc != nullptr && avc->rb_subtree_last >= index) {
    AnonVmaChain* const left = Tree<Traits>::left(*avc);
    if (left != nullptr && left->rb_subtree_last >= index) {
      avc = left;
      continue;
    }
    if (avc->vma->vm_pgoff > index) return nullptr;
    if (last_index(*avc) >= index) return avc;
    avc = Tree<Traits>::right(*avc);
  }
  return nullptr;
}

AnonVmaChain* AnonVmaTree::next(AnonVmaChain& avc, std::uint64_t index) {
  for (AnonVmaChain* at = next(avc); at != nullptr; at = next(*at)) {
    if (at->vma->vm_pgoff > index) return nullptr;
    if (last_index(*at) >= index) return at;
  }
  return nullptr;
}

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

// Returns the anon_vma of `page` with a reference, or nullptr if the page is not mapped.
// Kernel: page_get_anon_vma().
ChainedAnonVma* AnonVmaChains::get_anon_vma(Page& page) {
  RcuReadGuard rcu(machine().rcu);
  if (!page.is_mapped()) return nullptr;
  const std::uintptr_t mapping = page.mapping.load(std::memory_order_acquire);
  if ((mapping & kPageMappingAnon) == 0) return nullptr;
  auto* const anon_vma = reinterpret_cast<ChainedAnonVma*>(mapping & ~kPageMappingAnon);
  if (!anon_vma->refs.inc_not_zero_acquire()) return nullptr;
  // The memory may have become another anon_vma before.
  if (page.is_mapped()) return anon_vma;
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
  if (!page.is_mapped()) return nullptr;
  const std::uintptr_t mapping = page.mapping.load(std::memory_order_acquire);
  if ((mapping & kPageMappingAnon) == 0) return nullptr;
  auto& anon_vma = *reinterpret_cast<ChainedAnonVma*>(mapping & ~kPageMappingAnon);
  ChainedAnonVma& root = root_of(anon_vma);
  if (!root.rwsem.down_read_trylock()) return wait_for_anon_vma(page, anon_vma, rcu);
  // A page that is mapped still has its anon_vma, which cannot go while we hold the
  // lock. Of one that is not the anon_vma may have got another root since we looked.
  if (bug::armed(Bug::kRootLockChangedUnderWalker) || page.is_mapped()) {
    return &anon_vma;
  }
  root.rwsem.up_read();
  return nullptr;
}

// Likewise, when that takes a reference, and time.
ChainedAnonVma* AnonVmaChains::wait_for_anon_vma(
    Page& page, ChainedAnonVma& anon_vma, RcuReadGuard& rcu) NO_THREAD_SAFETY_ANALYSIS {
  if (!anon_vma.refs.inc_not_zero_acquire()) return nullptr;
  if (!page.is_mapped()) {
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

// ---- Vmas ---------------------------------------------------------------------------

// Kernel: __anon_vma_prepare().
Result<Ticket> AnonVmaChains::do_prepare(Vma& vma) {
  if (anon_vma_of(vma) != nullptr) return Ticket{};
  AnonVmaChain* const avc = avcs_.create();
  if (avc == nullptr) return Status::kNoMemory;
  ChainedAnonVma* const mergeable = find_mergeable_anon_vma(vma);
  ChainedAnonVma* const anon_vma =
      mergeable != nullptr ? mergeable : create_anon_vma(nullptr);
  if (anon_vma == nullptr) {
    avcs_.destroy(avc);
    return Status::kNoMemory;
  }
  if (join(vma, *anon_vma, *avc)) return Ticket{};
  avcs_.destroy(avc);
  if (mergeable == nullptr) put_anon_vma(*anon_vma);
  return Ticket{};
}

// Makes `anon_vma` the one of `vma`; false if another thread gave it one meanwhile.
bool AnonVmaChains::join(Vma& vma, ChainedAnonVma& anon_vma, AnonVmaChain& avc) {
  const WriteGuard guard(root_of(anon_vma).rwsem);
  const SpinGuard ptl(vma.vm_mm->page_table_lock);
  if (anon_vma_of(vma) != nullptr) return false;
  anon_vma_chain_link(vma, avc, anon_vma);
  ++anon_vma.num_active_vmas;
  set_anon_vma_of(vma, &anon_vma);
  return true;
}

bool AnonVmaChains::allocate(Spare& avcs, std::size_t count) {
  for (; count > 0; --count) {
    AnonVmaChain* const avc = avcs_.create();
    if (avc == nullptr) {
      free_all(avcs);
      return false;
    }
    avcs.push_back(*avc);
  }
  return true;
}

void AnonVmaChains::free_all(Spare& avcs) {
  while (AnonVmaChain* const avc = avcs.front()) {
    avcs.erase(*avc);
    avcs_.destroy(avc);
  }
}

// Makes `dst` findable from every anon_vma that `src` is.  A part of a vma has the own
// anon_vma of the whole; a child, perhaps, one of its ancestors' that is free.
// Kernel: anon_vma_clone().
Status AnonVmaChains::clone(Vma& dst, Vma& src, Why why) {
  const Chain chain(src);
  Spare spare;
  if (!allocate(spare, chain.length())) return Status::kNoMemory;
  const WriteGuard guard(root_of(*chain.oldest().anon_vma).rwsem);
  ChainedAnonVma* own = why == Why::kSplit ? anon_vma_of(src) : nullptr;
  chain.for_each_from_oldest([&](AnonVmaChain& of_src) {
    AnonVmaChain& avc = *spare.front();
    spare.erase(avc);
    anon_vma_chain_link(dst, avc, *of_src.anon_vma);
    if (own == nullptr && is_reusable(*of_src.anon_vma)) own = of_src.anon_vma;
  });
  if (own == nullptr) return Status::kOk;
  ++own->num_active_vmas;
  set_anon_vma_of(dst, own);
  return Status::kOk;
}

// Kernel: the second half of anon_vma_fork().
Status AnonVmaChains::give_own_anon_vma(Vma& dst, ChainedAnonVma& parent) {
  AnonVmaChain* const avc = avcs_.create();
  if (avc == nullptr) return Status::kNoMemory;
  ChainedAnonVma* const anon_vma = create_anon_vma(&parent);
  if (anon_vma == nullptr) {
    avcs_.destroy(avc);
    return Status::kNoMemory;
  }
  ChainedAnonVma& root = root_of(parent);
  root.refs.inc();
  const WriteGuard guard(root.rwsem);
  anon_vma_chain_link(dst, *avc, *anon_vma);
  ++anon_vma->num_active_vmas;
  ++parent.num_children;
  set_anon_vma_of(dst, anon_vma);
  return Status::kOk;
}

Status AnonVmaChains::do_link(Vma& dst, Vma& src, Why why) {
  if (Chain(src).empty()) return Status::kOk;
  Status status = clone(dst, src, why);
  if (status != Status::kOk || anon_vma_of(dst) != nullptr) return status;
  status = give_own_anon_vma(dst, *anon_vma_of(src));
  if (status != Status::kOk) do_unlink(dst);
  return status;
}

// Takes `vma` out of all trees, under the lock, and frees its avcs but those of
// anon_vmas whose tree is empty now: what is to be put may not be put under the lock.
void AnonVmaChains::leave_trees(Vma& vma) {
  const Chain chain(vma);
  const WriteGuard guard(root_of(*chain.oldest().anon_vma).rwsem);
  chain.for_each([&](AnonVmaChain& avc) {
    ChainedAnonVma& anon_vma = *avc.anon_vma;
    anon_vma.tree.erase(avc);
    if (anon_vma.tree.empty()) {
      --anon_vma.parent->num_children;
      return;
    }
    avc.same_vma.unlink();
    avcs_.destroy(&avc);
  });
  ChainedAnonVma* const own = anon_vma_of(vma);
  if (own == nullptr) return;
  --own->num_active_vmas;
  set_anon_vma_of(vma, nullptr);
}

// Kernel: unlink_anon_vmas().
void AnonVmaChains::do_unlink(Vma& vma) {
  const Chain chain(vma);
  if (chain.empty()) return;
  leave_trees(vma);
  chain.for_each([&](AnonVmaChain& avc) {
    ChainedAnonVma& anon_vma = *avc.anon_vma;
    invariant(Inv::kAnonVmaDegreesMatch,
              anon_vma.num_children == 0 && anon_vma.num_active_vmas == 0);
    avc.same_vma.unlink();
    avcs_.destroy(&avc);
    put_anon_vma(anon_vma);
  });
}

void AnonVmaChains::do_adjust(Vma& vma, FunctionRef<void()> change) {
  const Chain chain(vma);
  if (chain.empty()) return change();
  const WriteGuard guard(root_of(*chain.oldest().anon_vma).rwsem);
  chain.for_each([](AnonVmaChain& avc) { avc.anon_vma->tree.erase(avc); });
  change();
  chain.for_each([](AnonVmaChain& avc) { avc.anon_vma->tree.insert(avc); });
}

// ---- Pages --------------------------------------------------------------------------

// Kernel: __page_set_anon_rmap().
void AnonVmaChains::do_add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket) {
  ChainedAnonVma* anon_vma = anon_vma_of(vma);
  invariant(Inv::kAnonPageNeedsAnonVma, anon_vma != nullptr);
  // Whoever sees the count raised finds what it needs to walk.  A page without mapping
  // is new, or locked by us: nobody else sets these.  It keeps what it gets until it is
  // free: whoever may map it again has it from somebody whose chain held this anon_vma.
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
  const std::uintptr_t mapping = page.mapping.load(std::memory_order_acquire);
  auto& anon_vma = *reinterpret_cast<ChainedAnonVma*>(mapping & ~kPageMappingAnon);
  const ReadGuard guard(root_of(anon_vma).rwsem);
  return walk_tree(page, anon_vma, visit);
}

bool AnonVmaChains::do_lock_ptl(const Mapping& at) {
  at.vma->vm_mm->page_table_lock.lock();
  return true;
}

// ---- Audit --------------------------------------------------------------------------

// R4, and what each anon_vma of the chain should count.
void AnonVmaChains::audit_chain(Vma& vma) {
  const Chain chain(vma);
  ChainedAnonVma* const own = peek_anon_vma_of(vma);
  invariant(Inv::kVmaChainIsSound, (own == nullptr) == chain.empty());
  if (own == nullptr) return;
  ChainedAnonVma& root = peek_root_of(*own);
  invariant(Inv::kVmaChainIsSound, chain.oldest().anon_vma == &root);
  bool own_is_there = false;
  chain.for_each([&](AnonVmaChain& avc) {
    const bool sound =
        avc.vma == &vma && avc.rb.linked() && &peek_root_of(*avc.anon_vma) == &root;
    invariant(Inv::kVmaChainIsSound, sound);
    own_is_there = own_is_there || avc.anon_vma == own;
    ++avc.anon_vma->seen.avcs;
  });
  invariant(Inv::kVmaChainIsSound, own_is_there);
  ++own->seen.active_vmas;
}

// C6, C7.
void AnonVmaChains::audit_anon_vmas() {
  anon_vmas_.for_each_live([](ChainedAnonVma& anon_vma) {
    ChainedAnonVma& root = peek_root_of(anon_vma);
    ++anon_vma.parent->seen.children;
    if (&root != &anon_vma) ++root.seen.named_root_by;
  });
  anon_vmas_.for_each_live([](ChainedAnonVma& anon_vma) {
    const ChainedAnonVma::Recount& seen = anon_vma.seen;
    std::uint32_t avcs = 0;
    for (AnonVmaChain* avc = anon_vma.tree.first(); avc != nullptr;
         avc = AnonVmaTree::next(*avc)) {
      ++avcs;
      invariant(Inv::kVmaIsOnItsAnonVma, avc->anon_vma == &anon_vma);
    }
    invariant(Inv::kAnonVmaHasVmas, avcs > 0);
    invariant(Inv::kVmaIsOnItsAnonVma, avcs == seen.avcs);
    invariant(Inv::kAnonVmaCountIsItsUsers,
              anon_vma.refs.read() == 1 + seen.named_root_by);
    invariant(Inv::kAnonVmaDegreesMatch,
              anon_vma.num_children == seen.children &&
                  anon_vma.num_active_vmas == seen.active_vmas);
  });
  anon_vmas_.for_each_free([](ChainedAnonVma& anon_vma) {
    invariant(Inv::kFreeAnonVmaIsIdle, anon_vma.refs.read() == 0 &&
                                           anon_vma.tree.empty() &&
                                           !anon_vma.rwsem.is_locked());
  });
}

// R3 needs no more: that a page's own anon_vma shows each of its ptes is R1.
void AnonVmaChains::audit(std::span<Vma* const> vmas) {
  anon_vmas_.for_each_live([](ChainedAnonVma& anon_vma) { anon_vma.seen = {}; });
  std::size_t avcs = 0;
  for (Vma* const vma : vmas) {
    audit_chain(*vma);
    avcs += Chain(*vma).length();
  }
  invariant(Inv::kVmaChainIsSound, avcs == avcs_.live_objects());
  audit_anon_vmas();
}

}  // namespace racier::rmap
