// core/rmap/anon_vma_rwsem.h - anon_vma with a reference count and a lock that sleeps.
//
// As in anon_vma_spin a page points to an anon_vma, and that has a list of vmas.  But a
// walk that has found the anon_vma takes a reference to it and leaves its RCU read
// section: the reference, and no longer the lock, is what keeps the anon_vma.  So the
// lock may be one that sleeps, walks may go side by side, and their visitors may sleep.
//
//   page->mapping ---> CountedAnonVma { sem, refs, list } <---> vma <---> vma <---> ...
//
// One reference for each vma on the list, one for each walk that goes on.  The memory
// is type-stable: a walk may come late, and then finds a count of 0, or somebody else's
// anon_vma; that it has got hold of its page's own it knows only when the page is still
// mapped after the count was raised.
//
// Lock order: anon_vma->sem -> i_mmap_lock -> page_table_lock.
#pragma once
#include "core/base/list.h"
#include "core/rmap/scheme.h"
#include "core/sync/ref_count.h"
#include "core/sync/rw_semaphore.h"

namespace racier::rmap {

// Kernel: struct anon_vma, of the mail "Convert anon_vma lock to rw_sem and refcount".
struct CountedAnonVma {
  RwSemaphore sem{lock_class::kAnonVmaSem};
  RefCount refs{0};
  List<RmapOfVma, &RmapOfVma::node> vmas GUARDED_BY(sem);
};

// Kernel: the mail above (Lameter, March 2008).  Departs from it where it was wrong, or
// would be: a walk looks again whether the page is mapped when it has its reference;
// and a fresh anon_vma is locked, too, while a vma joins it (d9d332e0874f).  The lock
// is outside of i_mmap_lock, which the mail's series made a semaphore and we have not.
class AnonVmaRwsem final : public Scheme {
 public:
  explicit AnonVmaRwsem(Machine& machine);

  const Traits& traits() const override;
  int own_refs(const Page&) const override { return 0; }
  void audit(std::span<Vma* const> vmas) override;
  std::uint32_t live_objects() const override { return anon_vmas_.live_objects(); }
  void reset() override { anon_vmas_.reset(); }

 private:
  Result<Ticket> do_prepare(Vma& vma) override;
  void do_refund(Ticket) override {}
  void do_add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket) override;
  void do_add_file(Page& page, Vma& vma, VirtAddr addr, Ticket) override;
  void do_dup(Page& page, Vma& vma, VirtAddr addr, Ticket) override;
  void do_remove(Page& page, Vma& vma, VirtAddr addr) override;
  Status do_link(Vma& dst, Vma& src, Why why) override;
  void do_unlink(Vma& vma) override;
  void do_adjust(std::span<Vma* const> vmas, FunctionRef<void()> change) override;
  bool do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) override;
  Hold do_hold(Page& page) override { return hold_of(grab_anon_vma(page)); }
  void do_release(Hold hold) override;
  bool do_walk_held(Page& page, FunctionRef<Walk(const Mapping&)> visit) override;

  class Grabbed;

  static bool join(Vma& vma, CountedAnonVma& anon_vma, bool fresh);
  CountedAnonVma* grab_anon_vma(Page& page);
  void put_anon_vma(CountedAnonVma& anon_vma);
  static Hold hold_of(CountedAnonVma* grabbed);
  static bool walk_list(const Page& page, CountedAnonVma& anon_vma,
                        FunctionRef<Walk(const Mapping&)> visit);

  Slab<CountedAnonVma> anon_vmas_;
};

}  // namespace racier::rmap
