// core/rmap/pte_chain.h - pte chains, as of 2.5 to 2.6.6.
//
// Every page, anonymous or of a file, knows the ptes that map it: one by itself, more
// than one through a chain of blocks.
//
//   page->rmap ---> pte
//   page->rmap ---> PteChain { next, ptes } ---> PteChain { next, ptes } ---> ...
//
// A pte is named by its physical address.  The Page of the table that it is in says
// whose it is: `rmap` points to the mm, and `index` is the address that the table
// starts at (2.6: page->mapping and page->index of the page-table page).
//
// The chain is guarded by a bit lock in the page, PG_chainlock.  Whoever changes a pte
// holds page_table_lock already, so the bit lock is the inner one; a walk begins at the
// page, and may only try page_table_lock.  While it holds the bit lock no pte of the
// page goes away, and so no mm; which vma the pte is in is known only under
// page_table_lock.  So the walk tries before it shows a pte, and lock_ptl() hands over
// what it got.
//
// Lock order: page_table_lock -> PG_chainlock.
#pragma once
#include <array>

#include "core/rmap/scheme.h"

namespace racier::rmap {

// The physical address of a pte.  Kernel: pte_addr_t.
using PteAddr = std::uint64_t;

// A block of a chain.  All but the first of a chain are full; the first is filled from
// its end.  Kernel: struct pte_chain, v2.6.0, with `first` in the low bits of `next`;
// of a cache line of 32 bytes.
struct PteChain {
  static constexpr int kPtes = 3;

  PteChain* next = nullptr;
  int first = kPtes;  // in use from here on; never none of them
  std::array<PteAddr, kPtes> ptes{};
};

// Kernel: mm/rmap.c, v2.6.0.
class PteChains final : public Scheme {
 public:
  explicit PteChains(Machine& machine);

  const Traits& traits() const override;
  int own_refs(const Page&) const override { return 0; }
  void audit(std::span<Vma* const> vmas) override;
  std::uint32_t live_objects() const override { return blocks_.live_objects(); }
  void reset() override;

 private:
  // The walk that a task is in.
  struct WalkState {
    const Page* page = nullptr;  // its chain lock is the task's
    SpinLock* ptl = nullptr;     // taken for the visitor, who did not ask for it yet
  };

  Result<Ticket> do_prepare(Vma& vma) override;
  void do_refund(Ticket ticket) override;
  void do_add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) override;
  void do_add_file(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) override;
  void do_dup(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) override;
  void do_remove(Page& page, Vma& vma, VirtAddr addr) override;
  Status do_link(Vma&, Vma&, Why) override { return Status::kOk; }
  void do_unlink(Vma&) override {}
  // A walk looks at a vma under page_table_lock only, which `change` takes.
  void do_adjust(std::span<Vma* const>, FunctionRef<void()> change) override {
    change();
  }
  // A vma has nothing of the scheme's: any two agree, and nobody knows its pages.
  bool do_can_merge(const Vma&, const Vma&) const override { return true; }
  bool do_may_have_anon(const Vma&) const override { return true; }
  void do_move(Page& page, Vma& dst, VirtAddr from, VirtAddr to) override;
  bool do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) override;
  bool do_walk_file(Page& page, AddressSpace& mapping,
                    FunctionRef<Walk(const Mapping&)> visit) override;
  bool do_lock_ptl(const Mapping& at)
      TRY_ACQUIRE(true, at.vma->vm_mm->page_table_lock) override;

  PteAddr pte_addr(const Mm& mm, VirtAddr addr) const;
  VirtAddr addr_of(PteAddr pte) const;
  Page& table_of(PteAddr pte) const;
  PteAddr claim(Mm& mm, VirtAddr addr);
  PteChain* paid_for(Ticket ticket);
  void add(Page& page, PteAddr pte, Ticket ticket);
  bool add_to_chain(Page& page, PteAddr pte, Ticket ticket);
  void remove_from_chain(Page& page, PteAddr pte);
  static PteAddr* find_in_chain(const Page& page, PteAddr pte);
  void fill_hole(Page& page, PteAddr& hole);
  void make_direct(Page& page);
  bool walk_chain(Page& page, FunctionRef<Walk(const Mapping&)> visit);
  Walk show(PteAddr pte, FunctionRef<Walk(const Mapping&)> visit, bool& complete);
  int count_ptes(const Page& page, std::uint32_t& blocks) const;
  bool is_pte_of(const Page& page, PteAddr pte) const;
  WalkState& mine();

  Slab<PteChain> blocks_;
  // By task; the last is for walks made outside of any.
  std::array<WalkState, kTasksMax + 1> walks_;
};

}  // namespace racier::rmap
