// core/rmap/anon_vma_chain.h - an anon_vma of its own for each child; chains of them.
//
// With one anon_vma for a whole family of processes, the walk of a page that only the
// youngest maps goes over all of them.  So a fork gives the child's vma an anon_vma of
// its own, for the pages that are new in the child, and makes it findable from the
// anon_vmas of all its ancestors, for the pages that it inherits.  An AnonVmaChain
// ("avc") links one vma and one anon_vma: it stands in the vma's chain, newest first,
// and in the anon_vma's tree, by the pages that the vma has room for.
//
//   page->mapping ---> ChainedAnonVma { refs, tree } <-- avc --> vma of the child
//                        | parent, root                            |
//                        v                                       chain
//                      ChainedAnonVma { rwsem, refs, tree } <-- avc+
//                                                           <-- avc --> vma of the
//                                                           parent
//
// One lock guards a family: the rw semaphore of its oldest anon_vma, the root.
// References to an anon_vma: one for its tree while that has an avc; one for each walk
// that waits for the lock; of a root, one for each anon_vma that names it.  A vma's own
// anon_vma counts it as active, and an anon_vma counts its children, a root itself
// among them: one without active vmas and with one child at most is given to the next
// child in need, so that a family of forks of forks is not longer than it must be.
//
// Lock order: anon_vma->root->rwsem -> i_mmap_lock -> page_table_lock.
#pragma once
#include "core/base/list.h"
#include "core/rmap/anon_vma_tree.h"
#include "core/rmap/scheme.h"
#include "core/sync/ref_count.h"
#include "core/sync/rw_semaphore.h"

namespace racier::rmap {

// Kernel: struct anon_vma, since 2.6.34.
// What is guarded is guarded by root->rwsem.
struct ChainedAnonVma {
  // Whose lock is the family's: the oldest, maybe itself.  A walk that comes late may
  // see it change.
  Atomic<ChainedAnonVma*> root{nullptr};
  RwSemaphore rwsem{lock_class::kAnonVmaRootSem};  // only a root's is used
  RefCount refs{0};
  ChainedAnonVma* parent = nullptr;   // of a root: itself
  std::uint32_t num_children = 0;     // anon_vmas whose parent it is; guarded
  std::uint32_t num_active_vmas = 0;  // vmas whose own anon_vma it is; guarded
  AnonVmaTree tree;                   // guarded

  struct Recount {  // the audit's
    std::uint32_t avcs = 0;
    std::uint32_t children = 0;
    std::uint32_t active_vmas = 0;
    std::int32_t named_root_by = 0;
  } seen;
};

// Kernel: mm/rmap.c, 2.6.34 (van Riel) to today: the root's lock of 2.6.36, the rw
// semaphore of 3.7, the interval tree of 3.8, the reuse of 4.0, the one store of 4.2.
// Departs from it: avcs are allocated before the lock is taken (dd34739c03f2 tried
// under it); whoever frees an anon_vma always waits for the lock, not only if it is
// held.
class AnonVmaChains final : public Scheme {
 public:
  explicit AnonVmaChains(Machine& machine);

  const Traits& traits() const override;
  int own_refs(const Page&) const override { return 0; }
  void audit(std::span<Vma* const> vmas) override;
  std::uint32_t live_objects() const override {
    return anon_vmas_.live_objects() + avcs_.live_objects();
  }
  void reset() override;

 private:
  Result<Ticket> do_prepare(Vma& vma) override;
  void do_refund(Ticket) override {}
  void do_add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket) override;
  void do_add_file(Page& page, Vma& vma, VirtAddr addr, Ticket) override;
  void do_move_anon(Page& page, Vma& vma) override;
  void do_dup(Page& page, Vma& vma, VirtAddr addr, Ticket) override;
  void do_remove(Page& page, Vma& vma, VirtAddr addr) override;
  Status do_link(Vma& dst, Vma& src, Why why) override;
  void do_unlink(Vma& vma) override;
  bool do_can_merge(const Vma& a, const Vma& b) const override;
  void do_adjust(std::span<Vma* const> vmas, FunctionRef<void()> change) override;
  bool do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) override;
  Hold do_hold(Page& page) override;
  void do_release(Hold hold) override;
  bool do_walk_held(Page& page, FunctionRef<Walk(const Mapping&)> visit) override;

  using Spare = List<AnonVmaChain, &AnonVmaChain::same_vma>;
  class PageLocked;

  // References, and locks (anon_vma_chain.cc, like pages and walks).
  ChainedAnonVma* create_anon_vma(ChainedAnonVma* parent);
  void put_anon_vma(ChainedAnonVma& anon_vma);
  void last_put_of(ChainedAnonVma& anon_vma);
  void free_anon_vma(ChainedAnonVma& anon_vma, ChainedAnonVma& root);
  ChainedAnonVma* get_anon_vma(Page& page);
  ChainedAnonVma* lock_anon_vma_read(Page& page);
  ChainedAnonVma* wait_for_anon_vma(Page& page, ChainedAnonVma& anon_vma,
                                    RcuReadGuard& rcu);
  // Vmas (anon_vma_chain_vmas.cc).
  static bool join(Vma& vma, ChainedAnonVma& anon_vma, AnonVmaChain& avc);
  bool allocate(Spare& avcs, std::size_t count);
  void free_all(Spare& avcs);
  Status clone(Vma& dst, Vma& src, Why why);
  Status give_own_anon_vma(Vma& dst, ChainedAnonVma& parent);
  void leave_trees(Vma& vma);
  // Audit (anon_vma_chain_audit.cc).
  static void audit_chain(Vma& vma);
  void audit_anon_vmas();

  Slab<ChainedAnonVma> anon_vmas_;
  Slab<AnonVmaChain> avcs_;
};

}  // namespace racier::rmap
