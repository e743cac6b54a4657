// core/rmap/pte_chain.cc - who maps a page: it knows each pte.
// Tested by contract_test.cc and pte_chain_test.cc.
#include "core/rmap/pte_chain.h"

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/base/require.h"
#include "core/sync/bit_spin_lock.h"
#include "core/sync/context.h"

namespace racier::rmap {
namespace {

// ---- What Page::rmap holds ----------------------------------------------------------
//
// 0: nobody maps the page.  The low bit set: a pte's address (2.6: PG_direct).  The
// next bit set: the page is a table, of that mm.  Else a chain.

constexpr std::uintptr_t kDirect = 1;
constexpr std::uintptr_t kTable = 2;

bool is_direct(std::uintptr_t word) { return (word & kDirect) != 0; }
bool is_table(std::uintptr_t word) { return (word & kTable) != 0; }
PteAddr direct(std::uintptr_t word) { return word & ~kDirect; }
Mm& mm_of(std::uintptr_t word) { return *reinterpret_cast<Mm*>(word & ~kTable); }
PteChain* chain(std::uintptr_t word) { return reinterpret_cast<PteChain*>(word); }
std::uintptr_t word_of(PteChain* block) {
  return reinterpret_cast<std::uintptr_t>(block);
}

// ---- The chain lock -----------------------------------------------------------------

constexpr int kBit = static_cast<int>(PageFlag::kChainLock);

// Holds the chain lock of a page for a scope.  Kernel: pte_chain_lock().
class ChainGuard {
  using Where = std::source_location;

 public:
  explicit ChainGuard(Page& page, Where where = Where::current())
      : page_(page), where_(where) {
    bit_spin_lock(page_.flags, kBit, lock_class::kChainLock, where_);
  }
  ~ChainGuard() noexcept(false) {
    bit_spin_unlock(page_.flags, kBit, lock_class::kChainLock, where_);
  }
  ChainGuard(const ChainGuard&) = delete;
  ChainGuard& operator=(const ChainGuard&) = delete;

 private:
  Page& page_;
  Where where_;
};

// What is no pte of the page is in no chain: it cannot be found again.
constexpr Traits kTraits{.name = "pte_chain",
                         .since = "2.5.27 to 2.6.6",
                         .walk_may_sleep = false,
                         .walks_unmapped = false};

}  // namespace

PteChains::PteChains(Machine& machine)
    : Scheme(machine),
      blocks_("pte_chain", SlabKind::kPlain, machine.slab_pages, machine.rcu) {}

const Traits& PteChains::traits() const { return kTraits; }

void PteChains::reset() {
  blocks_.reset();
  walks_.fill({});
}

PteChains::WalkState& PteChains::mine() {
  const Task* const self = current();
  return walks_[static_cast<std::size_t>(self == nullptr ? kTasksMax : self->id)];
}

// ---- A pte's name -------------------------------------------------------------------

PteAddr PteChains::pte_addr(const Mm& mm, VirtAddr addr) const {
  const Pfn table = find_pte_table(machine().frames, mm.context, addr);
  return (PteAddr{table} << kPageShift) +
         static_cast<PteAddr>(table_index(addr, 0)) * sizeof(std::uint64_t);
}

Page& PteChains::table_of(PteAddr pte) const {
  return machine().page(static_cast<Pfn>(pte >> kPageShift));
}

VirtAddr PteChains::addr_of(PteAddr pte) const {
  const std::uint64_t start = table_of(pte).index.load(std::memory_order_relaxed);
  return start + (pte & ~kPageMask) / sizeof(std::uint64_t) * kPageSize;
}

// Returns the name of the pte at `addr`, and lets it lead back to `mm`.
// Context: page_table_lock held.  Kernel: pgtable_add_rmap(), when a table is made;
// here when something in it is mapped first, so that mm/ need not know.
PteAddr PteChains::claim(Mm& mm, VirtAddr addr) {
  const PteAddr pte = pte_addr(mm, addr);
  Page& table = table_of(pte);
  if (table.rmap == 0) {
    table.index.store(addr & ~(table_span(1) - 1), std::memory_order_relaxed);
    table.rmap = reinterpret_cast<std::uintptr_t>(&mm) | kTable;
  }
  return pte;
}

// ---- Blocks, paid for in advance ----------------------------------------------------

// Whether a block is needed is known under locks only, so there is always one in hand.
// Kernel: pte_chain_alloc(GFP_KERNEL).
Result<Ticket> PteChains::do_prepare(Vma&) {
  if (bug::armed(Bug::kPteChainAllocAtomic)) return Ticket{};
  PteChain* const block = blocks_.create();
  if (block == nullptr) return Status::kNoMemory;
  return Ticket(block);
}

// Kernel: pte_chain_free().
void PteChains::do_refund(Ticket ticket) {
  if (ticket.paid() != nullptr) blocks_.destroy(static_cast<PteChain*>(ticket.paid()));
}

PteChain* PteChains::paid_for(Ticket ticket) {
  if (bug::armed(Bug::kPteChainAllocAtomic)) {
    might_sleep();
    return blocks_.create();
  }
  return static_cast<PteChain*>(ticket.paid());
}

// ---- Chains -------------------------------------------------------------------------

void PteChains::do_add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) {
  // A page that is not mapped is new, or locked by us: nobody else sets these.
  if (!page.is_mapped()) {
    page.mapping.store(kPageMappingAnon);
    page.index.store(vma.index_of(addr), std::memory_order_relaxed);
  }
  add(page, claim(*vma.vm_mm, addr), ticket);
}

void PteChains::do_add_file(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) {
  add(page, claim(*vma.vm_mm, addr), ticket);
}

void PteChains::do_dup(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) {
  add(page, claim(*vma.vm_mm, addr), ticket);
}

// Kernel: page_add_rmap().
void PteChains::add(Page& page, PteAddr pte, Ticket ticket) {
  bool spent = false;
  {
    const ChainGuard guard(page);
    spent = add_to_chain(page, pte, ticket);
    page.mapcount.fetch_add(1);
  }
  if (!spent) do_refund(ticket);
}

// Returns whether it took the block that the ticket paid for.
// Context: the chain lock is held.
bool PteChains::add_to_chain(Page& page, PteAddr pte, Ticket ticket) {
  if (page.rmap == 0) {
    page.rmap = pte | kDirect;
    return false;
  }
  PteChain* const head = is_direct(page.rmap) ? nullptr : chain(page.rmap);
  if (head != nullptr && head->first > 0) {
    head->ptes[static_cast<std::size_t>(--head->first)] = pte;
    return false;
  }
  PteChain* const block = paid_for(ticket);
  require(block != nullptr, "the ticket of prepare() pays for a block");
  block->next = head;
  if (head == nullptr) {
    block->ptes[static_cast<std::size_t>(--block->first)] = direct(page.rmap);
  }
  block->ptes[static_cast<std::size_t>(--block->first)] = pte;
  page.rmap = word_of(block);
  mark::hit(Mark::kChainGrew);
  return true;
}

// Kernel: page_remove_rmap().  The visitor of a walk may come here, too, which holds
// the chain lock (2.6: try_to_unmap() takes the pte out itself).
void PteChains::do_remove(Page& page, Vma& vma, VirtAddr addr) {
  const PteAddr pte = pte_addr(*vma.vm_mm, addr);
  if (mine().page == &page) return remove_from_chain(page, pte);
  const ChainGuard guard(page);
  remove_from_chain(page, pte);
}

// Context: the chain lock is held.
void PteChains::remove_from_chain(Page& page, PteAddr pte) {
  page.mapcount.fetch_sub(1);
  if (is_direct(page.rmap)) {
    invariant(Inv::kChainHasPte, direct(page.rmap) == pte);
    page.rmap = 0;
    return;
  }
  PteAddr* const entry = find_in_chain(page, pte);
  invariant(Inv::kChainHasPte, entry != nullptr);
  fill_hole(page, *entry);
}

// Returns where the chain has `pte`, or nullptr.  Context: the chain lock is held.
PteAddr* PteChains::find_in_chain(const Page& page, PteAddr pte) {
  for (PteChain* block = chain(page.rmap); block != nullptr; block = block->next) {
    for (int i = block->first; i < PteChain::kPtes; ++i) {
      PteAddr& entry = block->ptes[static_cast<std::size_t>(i)];
      if (entry == pte) return &entry;
    }
  }
  return nullptr;
}

// The page keeps as many ptes as it has, so the new one needs no block.
// Kernel: page_add_rmap(), page_remove_rmap() in copy_one_pte(), mm/mremap.c, v2.6.0.
void PteChains::do_move(Page& page, Vma& dst, VirtAddr from, VirtAddr to) {
  const PteAddr before = pte_addr(*dst.vm_mm, from);
  const PteAddr after = claim(*dst.vm_mm, to);
  const ChainGuard guard(page);
  if (is_direct(page.rmap)) {
    invariant(Inv::kChainHasPte, direct(page.rmap) == before);
    page.rmap = after | kDirect;
    return;
  }
  PteAddr* const entry = find_in_chain(page, before);
  invariant(Inv::kChainHasPte, entry != nullptr);
  *entry = after;
}

// Puts the first pte of the chain where one was taken out, and frees the first block if
// that was its last.  What a walk has not seen yet is not moved: it begins at the
// first. Context: the chain lock is held.
void PteChains::fill_hole(Page& page, PteAddr& hole) {
  PteChain* const head = chain(page.rmap);
  hole = head->ptes[static_cast<std::size_t>(head->first)];
  if (++head->first < PteChain::kPtes) return;
  page.rmap = word_of(head->next);
  blocks_.destroy(head);
}

// Does without a chain of one.
// Context: the chain lock is held.  Kernel: page_referenced(), its end.
void PteChains::make_direct(Page& page) {
  if (page.rmap == 0 || is_direct(page.rmap)) return;
  PteChain* const head = chain(page.rmap);
  if (head->next != nullptr || head->first < PteChain::kPtes - 1) return;
  page.rmap = head->ptes.back() | kDirect;
  blocks_.destroy(head);
  mark::hit(Mark::kChainBecameDirect);
}

// ---- Walks --------------------------------------------------------------------------

bool PteChains::do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  return walk_chain(page, visit);
}

bool PteChains::do_walk_file(Page& page, AddressSpace&,
                             FunctionRef<Walk(const Mapping&)> visit) {
  return walk_chain(page, visit);
}

// Returns false if it was stopped, or some page_table_lock was not free.
bool PteChains::walk_chain(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  const ChainGuard guard(page);
  WalkState& self = mine();
  self.page = &page;
  bool complete = true;
  Walk walk = Walk::kContinue;
  if (is_direct(page.rmap)) {
    walk = show(direct(page.rmap), visit, complete);
  } else {
    // A block whose last pte the visitor takes out is freed.
    for (PteChain *block = chain(page.rmap), *next = nullptr;
         block != nullptr && walk == Walk::kContinue; block = next) {
      next = block->next;
      for (int i = block->first; i < PteChain::kPtes && walk == Walk::kContinue; ++i) {
        walk = show(block->ptes[static_cast<std::size_t>(i)], visit, complete);
      }
    }
  }
  self.page = nullptr;
  make_direct(page);
  return complete && walk == Walk::kContinue;
}

// Shows one pte, if its page_table_lock is free; else the walk is not complete.
// The visitor may let go of the lock: the analysis cannot follow.
Walk PteChains::show(PteAddr pte, FunctionRef<Walk(const Mapping&)> visit,
                     bool& complete) NO_THREAD_SAFETY_ANALYSIS {
  // Nobody takes the pte out while the chain lock is held, so its mm stays.
  Mm& mm = mm_of(table_of(pte).rmap);
  if (!mm.page_table_lock.try_lock()) {
    mark::hit(Mark::kWalkFoundPtlTaken);
    complete = false;
    return Walk::kContinue;
  }
  WalkState& self = mine();
  self.ptl = &mm.page_table_lock;
  const VirtAddr addr = addr_of(pte);
  Vma* const vma = mm.vmas.find(addr);
  invariant(Inv::kRmapSound, vma != nullptr && vma->contains(addr));
  const Walk walk = visit({vma, addr});
  if (self.ptl != nullptr) {
    self.ptl = nullptr;
    mm.page_table_lock.unlock();
  }
  return walk;
}

bool PteChains::do_lock_ptl(const Mapping& at) {
  SpinLock& ptl = at.vma->vm_mm->page_table_lock;
  WalkState& self = mine();
  if (self.ptl != &ptl) return ptl.try_lock();
  self.ptl = nullptr;
  return true;
}

// ---- Audit --------------------------------------------------------------------------

// Returns whether `pte` leads to a pte that maps `page`, and is the one of its address.
bool PteChains::is_pte_of(const Page& page, PteAddr pte) const {
  const std::uintptr_t word = table_of(pte).rmap;
  if (!is_table(word)) return false;
  const Mm& mm = mm_of(word);
  const VirtAddr addr = addr_of(pte);
  return pte_addr(mm, addr) == pte &&
         find_pte(machine().frames, mm.context, addr).peek().maps(page.pfn);
}

// Returns how many ptes the page knows, and adds its blocks; -1: not a chain.
int PteChains::count_ptes(const Page& page, std::uint32_t& blocks) const {
  if (page.rmap == 0) return 0;
  if (is_direct(page.rmap)) return is_pte_of(page, direct(page.rmap)) ? 1 : -1;
  int ptes = 0;
  for (const PteChain* block = chain(page.rmap); block != nullptr;
       block = block->next) {
    const bool head = block == chain(page.rmap);
    if (block->first >= PteChain::kPtes || (!head && block->first != 0)) return -1;
    if (++blocks > blocks_.live_objects()) return -1;
    for (int i = block->first; i < PteChain::kPtes; ++i, ++ptes) {
      if (!is_pte_of(page, block->ptes[static_cast<std::size_t>(i)])) return -1;
    }
  }
  return ptes;
}

// Every page knows as many ptes as map it, each of them does, and no block is in no
// chain.  C1, C6.
void PteChains::audit(std::span<Vma* const>) {
  std::uint32_t blocks = 0;
  machine().frames.for_each_allocated([&](Pfn pfn) {
    const Page& page = machine().page(pfn);
    if (is_table(page.rmap)) return;
    const int ptes = count_ptes(page, blocks);
    invariant(Inv::kChainIsItsPtes, ptes == page.mapcount.peek() + 1);
  });
  invariant(Inv::kChainBlockIsInUse, blocks == blocks_.live_objects());
}

}  // namespace racier::rmap
