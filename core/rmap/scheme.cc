// core/rmap/scheme.cc - checks the contract of every scheme once, and walks file pages.
// Tested by contract_test.cc and anon_vma_spin_test.cc.
#include "core/rmap/scheme.h"

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/objects/ptl.h"
#include "core/objects/reclaim_order.h"
#include "core/sync/context.h"

namespace racier::rmap {

bool walk_needs_page_lock(const Page& page) {
  return !page.is_anon() && !bug::armed(Bug::kFileMappingUnlocked);
}

Result<Ticket> Scheme::prepare(Vma& vma) {
  might_sleep();
  might_reclaim();
  return do_prepare(vma);
}

void Scheme::refund(Ticket ticket) { do_refund(ticket); }

void Scheme::add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) {
  assert_pte_locked(machine_, *vma.vm_mm, addr);
  invariant(Inv::kRmapAddInsideVma, vma.contains(addr));
  do_add_anon(page, vma, addr, ticket);
  machine_.tracepoints->rmap_added(page, vma, addr);
}

void Scheme::add_file(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) {
  assert_pte_locked(machine_, *vma.vm_mm, addr);
  invariant(Inv::kRmapAddInsideVma, vma.contains(addr));
  do_add_file(page, vma, addr, ticket);
  machine_.tracepoints->rmap_added(page, vma, addr);
}

void Scheme::move_anon(Page& page, Vma& vma) {
  invariant(Inv::kMoveAnonLocksPage, page.peek(PageFlag::kLocked));
  do_move_anon(page, vma);
}

void Scheme::dup(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) {
  assert_pte_locked(machine_, *vma.vm_mm, addr);
  do_dup(page, vma, addr, ticket);
  machine_.tracepoints->rmap_added(page, vma, addr);
}

void Scheme::remove(Page& page, Vma& vma, VirtAddr addr) {
  assert_pte_locked(machine_, *vma.vm_mm, addr);
  invariant(Inv::kRmapRemoveMapped, page.is_mapped());
  machine_.tracepoints->rmap_removed(page, vma, addr);
  do_remove(page, vma, addr);
}

void Scheme::move(Page& page, Vma& src, VirtAddr from, Vma& dst, VirtAddr to) {
  assert_pte_locked(machine_, *dst.vm_mm, to);
  invariant(Inv::kRmapAddInsideVma, dst.contains(to));
  do_move(page, dst, from, to);
  machine_.tracepoints->rmap_moved(page, src, from, to);
}

void Scheme::trim(Page& page) { do_trim(page); }

// A file page is held by its page lock: nobody takes it out of its file.
Hold Scheme::hold(Page& page) {
  invariant(Inv::kHoldLocksPage, page.test(PageFlag::kLocked));
  if (!traits().walks_unmapped) return {};
  if (page.is_anon()) return do_hold(page);
  return page.mapping.load() != 0 ? Hold(nullptr) : Hold{};
}

void Scheme::release(Hold hold) {
  if (hold.anchor() != nullptr) do_release(hold);
}

void Scheme::replace(Page& page, Page& fresh) {
  invariant(Inv::kReplaceUnmapped, !page.is_mapped() && !fresh.is_mapped());
  do_replace(page, fresh);
}

void Scheme::do_replace(Page& page, Page& fresh) {
  fresh.index.store(page.index.load(), std::memory_order_relaxed);
  fresh.mapping.store(page.mapping.load());
  page.mapping.store(0);
}

void Scheme::restore(Page& page, Vma& vma, VirtAddr addr) {
  assert_pte_locked(machine_, *vma.vm_mm, addr);
  invariant(Inv::kRmapAddInsideVma, vma.contains(addr));
  do_dup(page, vma, addr, Ticket{});
  machine_.tracepoints->rmap_added(page, vma, addr);
}

Status Scheme::link(Vma& dst, Vma& src, Why why) {
  might_sleep();
  // What a vma has already it keeps, and it is the same (can_merge()).
  if (why == Why::kMerge && do_may_have_anon(dst)) return Status::kOk;
  return do_link(dst, src, why);
}

bool Scheme::can_merge(const Vma& a, const Vma& b) const { return do_can_merge(a, b); }

bool Scheme::may_have_anon(const Vma& vma) const { return do_may_have_anon(vma); }

// One anchor, or none: most schemes keep no more in a vma.
bool Scheme::do_can_merge(const Vma& a, const Vma& b) const {
  const std::uintptr_t one = a.rmap.anchor.load(std::memory_order_relaxed);
  const std::uintptr_t other = b.rmap.anchor.load(std::memory_order_relaxed);
  return one == other || one == 0 || other == 0;
}

bool Scheme::do_may_have_anon(const Vma& vma) const {
  return vma.rmap.anchor.load(std::memory_order_relaxed) != 0;
}

void Scheme::unlink(Vma& vma) {
  might_sleep();
  do_unlink(vma);
}

void Scheme::adjust(std::span<Vma* const> vmas, std::span<Vma* const> gone,
                    FunctionRef<void()> change) {
  might_sleep();
  if (vmas.front()->vm_file == nullptr) return do_adjust(vmas, change);
  if (traits().walk_may_sleep) {
    return do_adjust(vmas, [&] { adjust_in_file(vmas, gone, change); });
  }
  adjust_in_file(vmas, gone, [&] { do_adjust(vmas, change); });
}

void Scheme::adjust(Vma& vma, FunctionRef<void()> change) {
  Vma* const vmas[] = {&vma};
  adjust(vmas, {}, change);
}

void Scheme::adjust_in_file(std::span<Vma* const> vmas, std::span<Vma* const> gone,
                            FunctionRef<void()> change) {
  AddressSpace& file = *vmas.front()->vm_file;
  const SpinGuard guard(file.i_mmap_lock);
  for (Vma* const vma : vmas) file.i_mmap.erase(*vma);
  for (Vma* const vma : gone) file.i_mmap.erase(*vma);
  change();
  for (Vma* const vma : vmas) file.i_mmap.insert(*vma);
}

bool Scheme::walk(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  Tracepoints& trace = *machine_.tracepoints;
  trace.walk_begin(page);
  const auto shown = [&](const Mapping& at) {
    trace.walk_shown(page, *at.vma, at.addr);
    return visit(at);
  };
  const std::uintptr_t mapping = page.mapping.load();
  bool completed = true;
  if ((mapping & kPageMappingAnon) != 0) {
    completed = do_walk_anon(page, shown);
  } else if (mapping != 0) {
    invariant(Inv::kMappingIsAFile, machine_.is_file(mapping));
    completed = do_walk_file(page, *reinterpret_cast<AddressSpace*>(mapping), shown);
  }
  trace.walk_end(page, !completed);
  return completed;
}

bool Scheme::walk_held(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  const std::uintptr_t mapping = page.mapping.load();
  if ((mapping & kPageMappingAnon) != 0) return do_walk_held(page, visit);
  if (mapping == 0) return true;
  return do_walk_file(page, *reinterpret_cast<AddressSpace*>(mapping), visit);
}

bool Scheme::lock_ptl(const Mapping& at) { return do_lock_ptl(at); }

// (The analysis knows one lock where there are many.)
bool Scheme::do_lock_ptl(const Mapping& at) NO_THREAD_SAFETY_ANALYSIS {
  SpinLock* const lock = pte_lockptr(machine_, *at.vma->vm_mm, at.addr);
  if (lock == nullptr) return false;
  lock->lock();
  return true;
}

bool Scheme::walk_file(Page& page, AddressSpace& mapping,
                       FunctionRef<Walk(const Mapping&)> visit) {
  invariant(Inv::kFileWalkHoldsPageLock,
            page.test(PageFlag::kLocked) || !walk_needs_page_lock(page));
  const SpinGuard guard(mapping.i_mmap_lock);
  const std::uint64_t index = page.index.load(std::memory_order_relaxed);
  for (Vma* vma = mapping.i_mmap.first(index, index); vma != nullptr;
       vma = IMmapTree::next(*vma, index, index)) {
    if (visit({vma, vma_address(*vma, index)}) == Walk::kStop) return false;
  }
  return true;
}

}  // namespace racier::rmap
