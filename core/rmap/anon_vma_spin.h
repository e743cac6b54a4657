// core/rmap/anon_vma_spin.h - anon_vma, as of 2.6.9.
//
// Vmas that may map the same anonymous pages are on the list of one anon_vma: a vma and
// its copies in children, the parts of a split vma, and neighbours that could be
// merged.  The page points to the anon_vma; where in each vma the page would be follows
// from its index.
//
//   page->mapping ---> AnonVma { lock, list } <---> vma <---> vma <---> ...
//
// No reference count: an anon_vma lives as long as its list has a vma.  A walk reaches
// it from a page without a lock, so its memory is type-stable: it may turn out to be
// free, or somebody else's, but it stays an anon_vma while the walk's RCU read section
// is open.
//
// Lock order: i_mmap_lock -> anon_vma->lock -> page_table_lock.
#pragma once
#include "core/base/list.h"
#include "core/rmap/scheme.h"

namespace racier::rmap {

// Kernel: struct anon_vma, v2.6.9.
struct AnonVma {
  SpinLock lock{lock_class::kAnonVmaLock};
  List<RmapOfVma, &RmapOfVma::node> vmas GUARDED_BY(lock);
};

// Kernel: mm/rmap.c, v2.6.9; rmaplock 1/5 to 4/5 (Dickins).  Departs from it where a
// later kernel mended it: a fresh anon_vma is locked, too, while a vma joins it
// (d9d332e0874f), and a walk keeps its RCU read section until it is done
// (34bbd704051c).
class AnonVmaSpin final : public Scheme {
 public:
  explicit AnonVmaSpin(Machine& machine);

  const Traits& traits() const override;
  int own_refs(const Page&) const override { return 0; }
  void audit(std::span<Vma* const> vmas) override;
  std::uint32_t live_objects() const override { return anon_vmas_.live_objects(); }
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
  void do_adjust(std::span<Vma* const> vmas, FunctionRef<void()> change) override;
  bool do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) override;
  Hold do_hold(Page& page) override;
  void do_release(Hold) override;
  bool do_walk_held(Page& page, FunctionRef<Walk(const Mapping&)> visit) override;

  bool join(Vma& vma, AnonVma& anon_vma);
  static bool walk_list(const Page& page, AnonVma& anon_vma,
                        FunctionRef<Walk(const Mapping&)> visit)
      REQUIRES(anon_vma.lock);

  Slab<AnonVma> anon_vmas_;
};

}  // namespace racier::rmap
