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
#include "core/base/tree.h"
#include "core/rmap/scheme.h"
#include "core/sync/ref_count.h"
#include "core/sync/rw_semaphore.h"

namespace racier::rmap {

struct ChainedAnonVma;

// Kernel: struct anon_vma_chain.
struct AnonVmaChain {
  Vma* vma = nullptr;
  ChainedAnonVma* anon_vma = nullptr;
  // In the chain of `vma`; guarded by mmap_sem (write), or mmap_sem and
  // page_table_lock.
  ListNode same_vma;
  // In the tree of `anon_vma`, and the greatest last index there below it; guarded by
  // the root's lock.
  TreeNode rb;
  std::uint64_t rb_subtree_last = 0;
};

// The avcs of an anon_vma, by the pages that their vmas have room for.  What these are
// may change only while the vma's avcs are on no tree.  Kernel: anon_vma->rb_root.
class AnonVmaTree {
 public:
  void insert(AnonVmaChain& avc) { tree_.insert(avc); }
  void erase(AnonVmaChain& avc) { tree_.erase(avc); }
  bool empty() const { return tree_.empty(); }
  AnonVmaChain* first() const { return tree_.first(); }
  static AnonVmaChain* next(AnonVmaChain& avc) { return Tree<Traits>::next(avc); }
  // Returns the first avc whose vma has room for page `index`, or nullptr; and the one
  // after `avc` that has.
  AnonVmaChain* first(std::uint64_t index) const;
  static AnonVmaChain* next(AnonVmaChain& avc, std::uint64_t index);

 private:
  struct Traits {
    using Entry = AnonVmaChain;
    static TreeNode& node(AnonVmaChain& avc) { return avc.rb; }
    static AnonVmaChain& entry(TreeNode& node);
    static bool less(const AnonVmaChain& a, const AnonVmaChain& b);
    static void update(AnonVmaChain& avc, const AnonVmaChain* left,
                       const AnonVmaChain* right);
  };
  Tree<Traits> tree_;
};

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
// semaphore of 3.7, the interval tree of 3.8, the reuse of 4.0.  Departs from it: a
// page keeps the anon_vma that it got first until it is free (no
// page_move_anon_rmap()); avcs are allocated before the lock is taken (dd34739c03f2
// tried under it); whoever frees an anon_vma always waits for the lock, not only if it
// is held.
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
  void do_dup(Page& page, Vma& vma, VirtAddr addr, Ticket) override;
  void do_remove(Page& page, Vma& vma, VirtAddr addr) override;
  Status do_link(Vma& dst, Vma& src, Why why) override;
  void do_unlink(Vma& vma) override;
  void do_adjust(Vma& vma, FunctionRef<void()> change) override;
  bool do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) override;
  Hold do_hold(Page& page) override;
  void do_release(Hold hold) override;
  bool do_walk_held(Page& page, FunctionRef<Walk(const Mapping&)> visit) override;
  bool do_lock_ptl(const Mapping& at)
      TRY_ACQUIRE(true, at.vma->vm_mm->page_table_lock) override;

  using Spare = List<AnonVmaChain, &AnonVmaChain::same_vma>;
  class PageLocked;

  // References.
  ChainedAnonVma* create_anon_vma(ChainedAnonVma* parent);
  void put_anon_vma(ChainedAnonVma& anon_vma);
  void last_put_of(ChainedAnonVma& anon_vma);
  void free_anon_vma(ChainedAnonVma& anon_vma, ChainedAnonVma& root);
  ChainedAnonVma* get_anon_vma(Page& page);
  ChainedAnonVma* lock_anon_vma_read(Page& page);
  ChainedAnonVma* wait_for_anon_vma(Page& page, ChainedAnonVma& anon_vma,
                                    RcuReadGuard& rcu);
  // Vmas.
  static bool join(Vma& vma, ChainedAnonVma& anon_vma, AnonVmaChain& avc);
  bool allocate(Spare& avcs, std::size_t count);
  void free_all(Spare& avcs);
  Status clone(Vma& dst, Vma& src, Why why);
  Status give_own_anon_vma(Vma& dst, ChainedAnonVma& parent);
  void leave_trees(Vma& vma);
  // Audit.
  static void audit_chain(Vma& vma);
  void audit_anon_vmas();

  Slab<ChainedAnonVma> anon_vmas_;
  Slab<AnonVmaChain> avcs_;
};

}  // namespace racier::rmap
