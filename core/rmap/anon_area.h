// core/rmap/anon_area.h - the anon layer of 2000: areas with pages and vmas.
//
// An area stands behind anonymous pages as a file stands behind its own.  Vmas that may
// map the same pages have one area: a vma, its copies in children, the parts of a split
// one.  Where in a vma a page is follows from (index - vm_pgoff).
//
//   page->mapping ---> AnonArea { count, i_shared_lock, vmas, pages } <---> vma <--->
//   ...
//                                                           pages <---> page <---> ...
//
// Like the page cache, an area has a reference of its own to each of its pages.  So a
// page that nobody maps any more stays until the area is trimmed: when one of its vmas
// goes, or when reclaim asks (trim()).  An area lives as long as it has a vma, or a
// walk that has found it.
//
// Lock order: i_shared_lock -> page_table_lock -> pagecache_lock -> lru_lock.
#pragma once
#include "core/base/list.h"
#include "core/rmap/scheme.h"

namespace racier::rmap {

// The pages are guarded by pagecache_lock, which is one for all areas.
// Kernel: struct anon_area, with its struct address_space.
struct AnonArea {
  RefCount count{1};  // its vmas, and walks
  SpinLock i_shared_lock{lock_class::kISharedLock};
  List<RmapOfVma, &RmapOfVma::node> vmas GUARDED_BY(i_shared_lock);
  List<Page, &Page::rmap_node> pages;
  Atomic<std::uint64_t> nrpages{0};
};

// Kernel: mm/anon.c, David S. Miller, 26 April 2000, for 2.3.99; never merged.  Departs
// from it where it was wrong: a vma trims its area before it lets go of it, and gets
// its area under page_table_lock, which threads that fault at once need.  What it calls
// anon_page_add() and anon_cow() is do_add_anon(): mm/ has the page already.  There was
// no walk.
class AnonAreas final : public Scheme {
 public:
  explicit AnonAreas(Machine& machine);

  const Traits& traits() const override;
  int own_refs(const Page& page) const override;
  void audit(std::span<Vma* const> vmas) override;
  std::uint32_t live_objects() const override { return areas_.live_objects(); }
  void reset() override;

 private:
  Result<Ticket> do_prepare(Vma& vma) override;
  void do_refund(Ticket) override {}
  void do_add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket) override;
  void do_add_file(Page& page, Vma& vma, VirtAddr addr, Ticket) override;
  void do_dup(Page& page, Vma& vma, VirtAddr addr, Ticket) override;
  void do_remove(Page& page, Vma& vma, VirtAddr addr) override;
  void do_trim(Page& page) override;
  Status do_link(Vma& dst, Vma& src, Why why) override;
  void do_unlink(Vma& vma) override;
  void do_adjust(std::span<Vma* const> vmas, FunctionRef<void()> change) override;
  bool do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) override;
  Hold do_hold(Page& page) override;
  void do_release(Hold hold) override;
  void do_replace(Page& page, Page& fresh) override;
  bool do_walk_held(Page& page, FunctionRef<Walk(const Mapping&)> visit) override;

  bool attach(Vma& vma, AnonArea& area);
  void insert_page(Page& page, AnonArea& area, std::uint64_t index);
  void kill_page(AnonArea& area, Page& page) REQUIRES(pagecache_lock_);
  void trim_area(AnonArea& area);
  void invalidate_pages(AnonArea& area);
  AnonArea* get_area(const Page& page);
  static bool walk_list(const Page& page, AnonArea& area,
                        FunctionRef<Walk(const Mapping&)> visit);
  void put_area(AnonArea& area);
  void audit_area(AnonArea& area, std::uint32_t& listed);

  Slab<AnonArea> areas_;
  SpinLock pagecache_lock_{lock_class::kPagecacheLock};
};

}  // namespace racier::rmap
