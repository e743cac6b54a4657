// core/rmap/scheme.cc - checks the contract of every scheme once, and walks file pages.
// Tested by contract_test.cc and anon_vma_spin_test.cc.
#include "core/rmap/scheme.h"

#include "core/base/invariant.h"
#include "core/objects/reclaim_order.h"
#include "core/sync/context.h"

namespace racier::rmap {

Result<Ticket> Scheme::prepare(Vma& vma) {
  might_sleep();
  might_reclaim();
  return do_prepare(vma);
}

void Scheme::refund(Ticket ticket) { do_refund(ticket); }

void Scheme::add_anon(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) {
  vma.vm_mm->page_table_lock.assert_held();
  invariant(Inv::kRmapAddInsideVma, vma.contains(addr));
  do_add_anon(page, vma, addr, ticket);
  machine_.tracepoints->rmap_added(page, vma, addr);
}

void Scheme::add_file(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) {
  vma.vm_mm->page_table_lock.assert_held();
  invariant(Inv::kRmapAddInsideVma, vma.contains(addr));
  do_add_file(page, vma, addr, ticket);
  machine_.tracepoints->rmap_added(page, vma, addr);
}

void Scheme::dup(Page& page, Vma& vma, VirtAddr addr, Ticket ticket) {
  vma.vm_mm->page_table_lock.assert_held();
  do_dup(page, vma, addr, ticket);
  machine_.tracepoints->rmap_added(page, vma, addr);
}

void Scheme::remove(Page& page, Vma& vma, VirtAddr addr) {
  vma.vm_mm->page_table_lock.assert_held();
  invariant(Inv::kRmapRemoveMapped, page.is_mapped());
  machine_.tracepoints->rmap_removed(page, vma, addr);
  do_remove(page, vma, addr);
}

void Scheme::trim(Page& page) { do_trim(page); }

Status Scheme::link(Vma& dst, Vma& src, Why why) {
  might_sleep();
  return do_link(dst, src, why);
}

void Scheme::unlink(Vma& vma) {
  might_sleep();
  do_unlink(vma);
}

void Scheme::adjust(Vma& vma, FunctionRef<void()> change) {
  might_sleep();
  if (vma.vm_file == nullptr) return do_adjust(vma, change);
  if (traits().walk_may_sleep) {
    return do_adjust(vma, [&] { adjust_in_file(vma, change); });
  }
  adjust_in_file(vma, [&] { do_adjust(vma, change); });
}

void Scheme::adjust_in_file(Vma& vma, FunctionRef<void()> change) {
  const SpinGuard guard(vma.vm_file->i_mmap_lock);
  vma.vm_file->i_mmap.erase(vma);
  change();
  vma.vm_file->i_mmap.insert(vma);
}

bool Scheme::walk(Page& page, FunctionRef<Walk(const Mapping&)> visit) {
  Tracepoints& trace = *machine_.tracepoints;
  trace.walk_begin(page);
  const auto shown = [&](const Mapping& at) {
    trace.walk_shown(page, *at.vma, at.addr);
    return visit(at);
  };
  const std::uintptr_t mapping = page.mapping.load(std::memory_order_acquire);
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

bool Scheme::lock_ptl(const Mapping& at) { return do_lock_ptl(at); }

bool Scheme::walk_file(Page& page, AddressSpace& mapping,
                       FunctionRef<Walk(const Mapping&)> visit) {
  // Only the page lock keeps the page in its file, and so the file (truncation takes
  // it).
  invariant(Inv::kFileWalkHoldsPageLock, page.test(PageFlag::kLocked));
  const SpinGuard guard(mapping.i_mmap_lock);
  const std::uint64_t index = page.index.load(std::memory_order_relaxed);
  for (Vma* vma = mapping.i_mmap.first(index, index); vma != nullptr;
       vma = IMmapTree::next(*vma, index, index)) {
    if (visit({vma, vma_address(*vma, index)}) == Walk::kStop) return false;
  }
  return true;
}

}  // namespace racier::rmap
