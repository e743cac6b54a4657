// core/rmap/scheme.h - who maps this page?
//
// One question, five historical answers.  mm/ holds a Scheme& and cannot tell which:
// its memory hides behind Vma::rmap and Page::mapping, its locks behind lock_ptl() and
// adjust().
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/function_ref.h"
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier::rmap {

// Where a page may be mapped: a hint.  Only the pte, looked at under page_table_lock,
// is proof.
struct Mapping {
  Vma* vma;
  VirtAddr addr;
};

enum class Walk : std::uint8_t { kContinue, kStop };

// Why one vma takes over what another one can be found by.
enum class Why : std::uint8_t {
  kFork,   // the child's copy of a vma
  kSplit,  // a part of a vma becomes one of its own
  kMerge,  // a vma is about to take pages of another over
  kMove,   // a vma to which pages of another are about to move
};

// What a scheme is, for tables and for those who must know whether they may sleep.
struct Traits {
  const char* name;
  const char* since;  // the kernels it was in
  // The visitor of an anonymous page's walk may sleep.  What such a walk holds is a
  // lock that sleeps, so it is taken outside of the spinlocks of files.
  bool walk_may_sleep;
  // A page that is held can be walked while no pte maps it, so migration entries for it
  // are found again.
  bool walks_unmapped = true;
};

// Memory paid for in advance: one add or dup is sure to succeed.  Returned unused, or
// spent.
class Ticket {
 public:
  Ticket() = default;
  explicit Ticket(void* paid) : paid_(paid) {}
  void* paid() const { return paid_; }

 private:
  void* paid_ = nullptr;
};

// Returns whether a walk over the mappings of `page` needs its lock: only that keeps a
// page in its file, and so the file (truncation takes it).
bool walk_needs_page_lock(const Page& page);

// What Scheme::hold() took.  False: nothing, and the page cannot be walked unless it is
// mapped.
class Hold {
 public:
  Hold() = default;
  explicit Hold(void* anchor) : holds_(true), anchor_(anchor) {}
  explicit operator bool() const { return holds_; }
  void* anchor() const { return anchor_; }

 private:
  bool holds_ = false;
  void* anchor_ = nullptr;
};

class Scheme {
 public:
  explicit Scheme(Machine& machine) : machine_(machine) {}
  virtual ~Scheme() = default;
  Scheme(const Scheme&) = delete;
  Scheme& operator=(const Scheme&) = delete;

  virtual const Traits& traits() const = 0;

  // Lets `vma` own anonymous pages, and pays in advance for one add or dup.
  // Context: may sleep; mmap_sem held, page_table_lock not.
  // Returns kNoMemory and leaves `vma` as it was, or a ticket for add() or refund().
  [[nodiscard]] Result<Ticket> prepare(Vma& vma) REQUIRES_SHARED(vma.vm_mm->mmap_sem);
  // Takes back a ticket that was not needed.
  void refund(Ticket ticket);

  // Records that the pte of `vma` at `addr` maps `page`, an anonymous one: fresh, or
  // back from swap (then its page lock is held).  Kernel: page_add_anon_rmap().
  void add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket ticket)
      REQUIRES(vma.vm_mm->page_table_lock);
  // Likewise for a page of the page cache.  Kernel: page_add_file_rmap().
  void add_file(Page& page, Vma& vma, VirtAddr addr, Ticket ticket)
      REQUIRES(vma.vm_mm->page_table_lock);
  // Says that the pte of `vma` is the only use of `page`, an anonymous one that it
  // maps: walks need not look for it where it came from any more.  Kernel:
  // page_move_anon_rmap(), 2.6.34.
  // Context: the page lock is held.
  void move_anon(Page& page, Vma& vma) REQUIRES(vma.vm_mm->page_table_lock);
  // Records that fork copied a pte that maps `page` to `vma`.  Kernel: page_dup_rmap().
  void dup(Page& page, Vma& vma, VirtAddr addr, Ticket ticket)
      REQUIRES(vma.vm_mm->page_table_lock);
  // Records that the pte of `vma` at `addr` maps `page` no more.  The caller still
  // holds a reference to the page.  Kernel: page_remove_rmap().
  void remove(Page& page, Vma& vma, VirtAddr addr) REQUIRES(vma.vm_mm->page_table_lock);

  // Records that the pte at `from` in `src`, which maps `page`, is now at `to` in
  // `dst`, a vma of the same mm.  In adjust() of both, so that no walk sees it half
  // done.
  void move(Page& page, Vma& src, VirtAddr from, Vma& dst, VirtAddr to)
      REQUIRES(dst.vm_mm->page_table_lock);

  // Lets go of the scheme's own reference to `page`, if it has one and no pte maps the
  // page, so that its users are all that counts.
  // Context: the page lock and a reference to the page are held.
  void trim(Page& page);

  // Keeps what `page` is found by, so that walk_held() finds its vmas while no pte maps
  // it.  Holds nothing if it is anonymous and not mapped, or the scheme knows only
  // ptes. Context: page lock held.  The caller may not sleep before release(). Kernel:
  // unmap_and_move(): rcu_read_lock(), page_get_anon_vma().
  [[nodiscard]] Hold hold(Page& page);
  // Context: may sleep.
  void release(Hold hold);
  // Lets `fresh` be found by what `page` was found by, and `page` by nothing.
  // Context: both locked, neither is mapped, or in a cache as an anonymous page.
  void replace(Page& page, Page& fresh);
  // Records that a pte of `vma` at `addr` maps `page` where it had a migration entry.
  // Context: `page`, or the one that it replaced, is held.
  void restore(Page& page, Vma& vma, VirtAddr addr)
      REQUIRES(vma.vm_mm->page_table_lock);

  // Makes walks over the pages that `src` may map find `dst`, too, before `dst` has a
  // pte.  A walk comes to a child behind its parent, from where fork copies migration
  // entries.
  // Context: may sleep; mmap_sem of both held, page_table_lock not.
  // Returns kNoMemory and changes nothing.  Kernel: anon_vma_link(), __anon_vma_link().
  Status link(Vma& dst, Vma& src, Why why) REQUIRES(src.vm_mm->mmap_sem);
  // Returns whether one vma can have the anonymous pages of both, once it is linked to
  // the other.  Context: mmap_sem held (write).  Kernel: is_mergeable_anon_vma().
  bool can_merge(const Vma& a, const Vma& b) const;
  // Returns whether `vma` may have, or have had, anonymous pages: what vm_pgoff says of
  // them cannot be chosen anew then.  Context: mmap_sem held (write).
  bool may_have_anon(const Vma& vma) const;
  // Forgets `vma`, whose ptes are gone.  Kernel: anon_vma_unlink().
  // Context: may sleep; mmap_sem held (write), or the mm has no user any more.
  void unlink(Vma& vma);
  // Runs `change`, which moves the bounds of `vmas`, or ptes between them, while no
  // walk looks at any of them.  They have one file, or none, and walks find them by one
  // lock.  The vmas of a file stand in a tree that is ordered by what may change, so
  // all are off it, and those of `gone` stay off.
  // Context: may sleep; mmap_sem held (write).  i_mmap_lock is held in `change`.
  void adjust(std::span<Vma* const> vmas, std::span<Vma* const> gone,
              FunctionRef<void()> change);
  void adjust(Vma& vma, FunctionRef<void()> change);

  // Shows `visit` every mapping of `page` that lasts for the whole walk, and perhaps
  // some that do not; `visit` may remove() the one that it is shown.  Returns false if
  // `visit` stopped it, or the walk could not be made.
  // Context: a reference to the page is held, and for a file page the page lock.
  // traits().walk_may_sleep says whether `visit` may sleep; for a file page it may not.
  bool walk(Page& page, FunctionRef<Walk(const Mapping&)> visit);
  // Likewise for every vma that may have a migration entry for `page`.  A child comes
  // behind its parent.
  // Context: `page`, or the one that it replaced, is held; its page lock, too.
  bool walk_held(Page& page, FunctionRef<Walk(const Mapping&)> visit);
  // Takes the lock of the pte at `at` during a walk.  Returns false if there is no
  // table of ptes (with ptl=split); and schemes whose walk holds a lock that is taken
  // inside of page_table_lock elsewhere may only try.
  [[nodiscard]] bool lock_ptl(const Mapping& at)
      TRY_ACQUIRE(true, at.vma->vm_mm->page_table_lock);

  // Returns how many references to `page` the scheme itself holds: at quiescence, or
  // while the page lock is held perhaps more than it still does.
  virtual int own_refs(const Page& page) const = 0;
  // Checks the scheme's own memory against all vmas that exist.  A finding if it is
  // wrong.  At quiescence.
  virtual void audit(std::span<Vma* const> vmas) = 0;
  // Returns how many objects the scheme has allocated.
  virtual std::uint32_t live_objects() const = 0;
  // Forgets everything; with the machine, between runs.
  virtual void reset() = 0;

  // Says how a scheme drops a reference of its own: mm/'s put_page().
  using PutPage = void (*)(Machine&, Page&);
  void set_put_page(PutPage put_page) { put_page_ = put_page; }

 protected:
  Machine& machine() const { return machine_; }
  void put_page(Page& page) { put_page_(machine_, page); }
  virtual void do_replace(Page& page, Page& fresh);

 private:  // scheme.cc checks each contract once, for all schemes; a scheme only acts
  virtual Result<Ticket> do_prepare(Vma& vma) = 0;
  virtual void do_refund(Ticket ticket) = 0;
  virtual void do_add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) = 0;
  virtual void do_add_file(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) = 0;
  virtual void do_move_anon(Page&, Vma&) {}
  virtual void do_dup(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) = 0;
  virtual void do_remove(Page& page, Vma& vma, VirtAddr addr) = 0;
  virtual void do_move(Page&, Vma& /*dst*/, VirtAddr /*from*/, VirtAddr /*to*/) {}
  virtual void do_trim(Page&) {}
  virtual bool do_can_merge(const Vma& a, const Vma& b) const;
  virtual bool do_may_have_anon(const Vma& vma) const;
  virtual Hold do_hold(Page&) { return {}; }  // an anonymous page
  virtual void do_release(Hold) {}
  virtual Status do_link(Vma& dst, Vma& src, Why why) = 0;
  virtual void do_unlink(Vma& vma) = 0;
  virtual void do_adjust(std::span<Vma* const> vmas, FunctionRef<void()> change) = 0;
  virtual bool do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) = 0;
  // As do_walk_anon(), whether the page is mapped or not.
  virtual bool do_walk_held(Page&, FunctionRef<Walk(const Mapping&)>) { return true; }
  // Unless a scheme may only try, it waits for the lock.
  virtual bool do_lock_ptl(const Mapping& at)
      TRY_ACQUIRE(true, at.vma->vm_mm->page_table_lock);

  static void adjust_in_file(std::span<Vma* const> vmas, std::span<Vma* const> gone,
                             FunctionRef<void()> change);
  // Walks a page of `mapping`: as walk_file(), unless a scheme has a way of its own.
  virtual bool do_walk_file(Page& page, AddressSpace& mapping,
                            FunctionRef<Walk(const Mapping&)> visit) {
    return walk_file(page, mapping, visit);
  }

  bool walk_file(Page& page, AddressSpace& mapping,
                 FunctionRef<Walk(const Mapping&)> visit);

  Machine& machine_;
  PutPage put_page_ = nullptr;
};

// One row of the table of schemes.
struct SchemeRow {
  const char* name;
  const char* sentence;
  std::shared_ptr<Scheme> (*make)(Machine&);
  Period written_under;
  // It goes with ptl=split: it walks without page_table_lock, and needs it for no tree.
  bool split_ptl = true;
};

// Returns all schemes.
std::span<const SchemeRow> schemes();
// Returns `options` without the knobs that their scheme does not claim: what came when
// it had gone is as it was in its time.
MachineOptions claimed(MachineOptions options);
// Makes the scheme of that name for `machine`; nullptr if there is none.
std::shared_ptr<Scheme> make_scheme(std::string_view name, Machine& machine);

}  // namespace racier::rmap
