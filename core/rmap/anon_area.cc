// core/rmap/anon_area.cc - who maps an anonymous page: ask the area behind it.
// Tested by contract_test.cc and anon_area_test.cc.
#include "core/rmap/anon_area.h"

#include <memory>

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/base/mark.h"
#include "core/sync/sites.h"

namespace racier::rmap {
namespace {

AnonArea* area_of(const Vma& vma) {
  return reinterpret_cast<AnonArea*>(vma.rmap.anchor.load());
}

AnonArea* peek_area_of(const Vma& vma) {
  return reinterpret_cast<AnonArea*>(vma.rmap.anchor.peek());
}

// Returns the area that has the page, or nullptr.  A page that was let go of stays an
// anonymous one.
AnonArea* area_of_mapping(std::uintptr_t mapping) {
  if ((mapping & kPageMappingAnon) == 0) return nullptr;
  return reinterpret_cast<AnonArea*>(mapping & ~kPageMappingAnon);
}

AnonArea* area_of(const Page& page) { return area_of_mapping(page.mapping.load()); }

constexpr Traits kTraits{"anon_area", "posted for 2.3.99", false};

}  // namespace

AnonAreas::AnonAreas(Machine& machine)
    : Scheme(machine),
      areas_("anon_area", SlabKind::kPlain, machine.slab_pages, machine.rcu) {}

const Traits& AnonAreas::traits() const { return kTraits; }

void AnonAreas::reset() {
  areas_.reset();
  std::construct_at(&pagecache_lock_, lock_class::kPagecacheLock);
}

// ---- Areas and their vmas -----------------------------------------------------------

// Kernel: get_anon(), anon_alloc().
Result<Ticket> AnonAreas::do_prepare(Vma& vma) {
  if (area_of(vma) != nullptr) return Ticket{};
  AnonArea* const area = areas_.create();
  if (area == nullptr) return Status::kNoMemory;
  if (!attach(vma, *area)) areas_.destroy(area);
  return Ticket{};
}

// Gives `vma` the fresh `area`; false if another thread gave it one meanwhile.
bool AnonAreas::attach(Vma& vma, AnonArea& area) {
  const SpinGuard list(area.i_shared_lock);
  const SpinGuard guard(vma.vm_mm->page_table_lock);
  const bool alone = bug::armed(Bug::kGetAnonDoubleAlloc) || area_of(vma) == nullptr;
  if (!still(alone)) return false;
  vma.rmap.node.unlink();  // it is on no list, but with the bug: links are overwritten
  area.vmas.push_front(vma.rmap);
  vma.rmap.anchor.store(reinterpret_cast<std::uintptr_t>(&area));
  return true;
}

// Kernel: anon_dup().
Status AnonAreas::do_link(Vma& dst, Vma& src, Why) {
  AnonArea* const area = area_of(src);
  if (area == nullptr) return Status::kOk;
  area->count.inc();
  const SpinGuard guard(area->i_shared_lock);
  area->vmas.push_back(dst.rmap);
  dst.rmap.anchor.store(reinterpret_cast<std::uintptr_t>(area));
  return Status::kOk;
}

// Kernel: anon_put().  The pages go before the vma's reference to the area does: all of
// them with the last vma, which may leave the area to a walk.
void AnonAreas::do_unlink(Vma& vma) {
  AnonArea* const area = area_of(vma);
  if (area == nullptr) return;
  bool last = false;
  {
    const SpinGuard guard(area->i_shared_lock);
    area->vmas.erase(vma.rmap);
    vma.rmap.anchor.store(0);
    last = area->vmas.empty();
  }
  const bool late = !last && bug::armed(Bug::kAnonPutTrimAfterDrop);
  if (last) invalidate_pages(*area);
  if (!last && !late) trim_area(*area);
  put_area(*area);
  if (late) trim_area(*area);
}

// All that have an area have the same.
void AnonAreas::do_adjust(std::span<Vma* const> vmas, FunctionRef<void()> change) {
  AnonArea* area = nullptr;
  for (Vma* const vma : vmas) {
    if (area == nullptr) area = area_of(*vma);
  }
  if (area == nullptr) return change();
  const SpinGuard guard(area->i_shared_lock);
  change();
}

// ---- Pages --------------------------------------------------------------------------

int AnonAreas::own_refs(const Page& page) const {
  return area_of(page) != nullptr ? 1 : 0;
}

void AnonAreas::do_add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket) {
  AnonArea* const area = area_of(vma);
  invariant(Inv::kAnonPageNeedsArea, area != nullptr);
  insert_page(page, *area, vma.index_of(addr));
  page.mapcount.fetch_add(1);
}

void AnonAreas::do_add_file(Page& page, Vma&, VirtAddr, Ticket) {
  page.mapcount.fetch_add(1);
}

void AnonAreas::do_dup(Page& page, Vma&, VirtAddr, Ticket) {
  page.mapcount.fetch_add(1);
}

// The area keeps the page.
void AnonAreas::do_remove(Page& page, Vma&, VirtAddr) { page.mapcount.fetch_sub(1); }

// Puts the page in the area that its vmas have, with a reference, unless it is there
// still.  Kernel: anon_page_insert().
void AnonAreas::insert_page(Page& page, AnonArea& area, std::uint64_t index) {
  const SpinGuard guard(pagecache_lock_);
  if (!still(area_of(page) == nullptr)) return;
  page.count.inc();
  page.index.store(index, std::memory_order_relaxed);
  area.pages.push_front(page);
  area.nrpages.fetch_add(1);
  page.mapping.store(reinterpret_cast<std::uintptr_t>(&area) | kPageMappingAnon);
}

// Takes the page out of its area, and drops the area's reference.  Kernel:
// anon_page_kill(), but for the page lock: the page stays an anonymous one, so whoever
// holds the lock sees no difference.
void AnonAreas::kill_page(AnonArea& area, Page& page) {
  area.pages.erase(page);
  area.nrpages.fetch_sub(1);
  page.mapping.store(kPageMappingAnon);
  put_page(page);
}

// The area's reference goes over, too.
void AnonAreas::do_replace(Page& page, Page& fresh) {
  if (!page.is_anon()) return Scheme::do_replace(page, fresh);
  const SpinGuard guard(pagecache_lock_);
  AnonArea* const area = area_of(page);
  fresh.index.store(page.index.load(), std::memory_order_relaxed);
  fresh.mapping.store(page.mapping.load());
  if (area == nullptr) return;
  fresh.count.inc();
  area->pages.push_front(fresh);
  area->nrpages.fetch_add(1);
  kill_page(*area, page);
}

// Kernel: anon_try_to_free_page().
void AnonAreas::do_trim(Page& page) {
  const SpinGuard guard(pagecache_lock_);
  AnonArea* const area = area_of(page);
  if (area != nullptr && still(!page.is_mapped())) kill_page(*area, page);
}

// Drops the pages that nobody else has a reference to: no pte, no cache, no task.
// Kernel: anon_trim().
void AnonAreas::trim_area(AnonArea& area) {
  const SpinGuard guard(pagecache_lock_);
  if (area.nrpages.load() == 0) return;
  for (auto it = area.pages.begin(); it != area.pages.end();) {
    Page& page = *it;
    ++it;
    if (!still(page.count.read() == 1)) continue;
    kill_page(area, page);
    mark::hit(Mark::kAreaTrimmed);
  }
}

// Drops all pages: no vma can map them any more.  One in the swap cache is left to it.
// Kernel: invalidate_anon_pages().
void AnonAreas::invalidate_pages(AnonArea& area) {
  const SpinGuard guard(pagecache_lock_);
  while (Page* const page = area.pages.front()) kill_page(area, *page);
}

// ---- Walks --------------------------------------------------------------------------

// Returns the page's area with a reference, or nullptr: nobody maps the page.
// While it has pages, it has a vma, and so a reference.
AnonArea* AnonAreas::get_area(const Page& page) {
  const SpinGuard guard(pagecache_lock_);
  AnonArea* const area = area_of(page);
  if (area != nullptr) area->count.inc();
  return area;
}

void AnonAreas::put_area(AnonArea& area) {
  if (area.count.dec_and_test()) areas_.destroy(&area);
}

bool AnonAreas::do_walk_anon(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  AnonArea* const area = get_area(page);
  if (area == nullptr) return true;
  const bool complete = walk_list(page, *area, visit);
  put_area(*area);
  return complete;
}

bool AnonAreas::walk_list(const Page& page, AnonArea& area,
                          FunctionRef<Walk(const Mapping&)> visit) {
  const SpinGuard guard(area.i_shared_lock);
  const std::uint64_t index = page.index.load(std::memory_order_relaxed);
  for (RmapOfVma& on_list : area.vmas) {
    const VirtAddr addr = vma_address(*on_list.vma, index);
    if (addr == kUserEnd) continue;
    if (visit({on_list.vma, addr}) == Walk::kStop) return false;
  }
  return true;
}

Hold AnonAreas::do_hold(Page& page) {
  AnonArea* const area = get_area(page);
  return area != nullptr ? Hold(area) : Hold{};
}

void AnonAreas::do_release(Hold hold) {
  put_area(*static_cast<AnonArea*>(hold.anchor()));
}

// If the area has let go of the page it has no vma any more.
bool AnonAreas::do_walk_held(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  AnonArea* const area = area_of(page);
  return area == nullptr || walk_list(page, *area, visit);
}

// ---- Audit --------------------------------------------------------------------------

// An area counts its vmas and its pages.  No lock is needed at quiescence.
void AnonAreas::audit_area(AnonArea& area,
                           std::uint32_t& listed) NO_THREAD_SAFETY_ANALYSIS {
  std::int32_t vmas = 0;
  for (RmapOfVma& on_list : area.vmas) {
    invariant(Inv::kVmaIsOnItsArea, peek_area_of(*on_list.vma) == &area);
    ++vmas;
  }
  listed += static_cast<std::uint32_t>(vmas);
  invariant(Inv::kAreaCountIsItsVmas, area.count.read() == vmas);
  std::uint64_t pages = 0;
  for (const Page& page : area.pages) {
    const AnonArea* const its = area_of_mapping(page.mapping.peek());
    invariant(Inv::kAreaPagesAreItsOwn, its == &area && ++pages <= area.nrpages.peek());
  }
  invariant(Inv::kAreaPagesAreItsOwn, pages == area.nrpages.peek());
  invariant(Inv::kNoLockAtRest, !area.i_shared_lock.is_locked());
}

// Every vma with an area is on its list, every list holds only such vmas, and there is
// no area besides.  C6.
void AnonAreas::audit(std::span<Vma* const> vmas) NO_THREAD_SAFETY_ANALYSIS {
  std::uint32_t anchored = 0;
  std::uint32_t listed = 0;
  std::uint32_t areas = 0;
  for (Vma* const vma : vmas) {
    AnonArea* const area = peek_area_of(*vma);
    if (area == nullptr) continue;
    ++anchored;
    invariant(Inv::kVmaIsOnItsArea, !vma->rmap.node.empty());
    // Each area is counted once: by the vma that stands first on its list.
    if (area->vmas.front() != &vma->rmap) continue;
    ++areas;
    audit_area(*area, listed);
  }
  invariant(Inv::kVmaIsOnItsArea, listed == anchored);
  invariant(Inv::kAreaHasVmas, areas == areas_.live_objects());
  invariant(Inv::kNoLockAtRest, !pagecache_lock_.is_locked());
}

}  // namespace racier::rmap
