// core/mm/mremap.cc - grows, shrinks and moves what is mapped.
// Tested by mremap_test.cc.
#include "core/mm/mremap.h"

#include "core/mm/find_vma.h"
#include "core/mm/maple_store.h"
#include "core/mm/mmap.h"
#include "core/mm/move_page_tables.h"
#include "core/mm/munmap.h"
#include "core/mm/unmapped_area.h"
#include "core/mm/vma_cache.h"
#include "core/mm/vma_merge.h"
#include "core/rmap/scheme.h"

namespace racier {
namespace {

constexpr std::uint64_t kUserPages = kUserEnd >> kPageShift;

VirtRange pages_at(VirtAddr addr, std::uint64_t pages) {
  return {addr, addr + (pages << kPageShift)};
}

bool is_valid(const MremapRequest& request) {
  const auto some = [](std::uint64_t pages) {
    return pages != 0 && pages <= kUserPages;
  };
  if (!some(request.old_pages) || !some(request.new_pages)) return false;
  if (request.addr % kPageSize != 0 || request.addr >= kUserEnd) return false;
  if (request.dont_unmap && !request.may_move) return false;
  if (request.dont_unmap && request.old_pages != request.new_pages) return false;
  if (request.new_addr == 0) return true;
  return request.may_move && request.new_addr % kPageSize == 0 &&
         request.new_addr <= kUserEnd - (request.new_pages << kPageShift) &&
         !pages_at(request.addr, request.old_pages)
              .overlaps(pages_at(request.new_addr, request.new_pages));
}

// Returns the vma that has all of `range`, or nullptr.
Vma* vma_with(Machine& m, Mm& mm, VirtRange range) REQUIRES(mm.mmap_sem) {
  Vma* const vma = find_vma(m, mm, range.start);
  const bool has =
      vma != nullptr && vma->vm_start <= range.start && range.end <= vma->vm_end;
  return has ? vma : nullptr;
}

// Makes `vma` larger at its end; returns whether there was room, and memory.
bool grow_in_place(Machine& m, Vma& vma, VirtAddr end) REQUIRES(vma.vm_mm->mmap_sem) {
  Mm& mm = *vma.vm_mm;
  const VirtRange more{vma.vm_end, end};
  if (end > kUserEnd || mm.vmas.find_intersection(more) != nullptr) return false;
  const NewVma what{more, vma.vm_flags, vma.vm_file, vma.vm_pgoff + vma.pages()};
  mm.mmap_sem.assert_held();
  Vma* grown = vma_merge(m, mm, what, nullptr);
  if (grown == nullptr) {
    // No memory to merge it with the vma behind, too.
    grown = &vma;
    MapleStore maple(m, mm);
    const VirtRange whole{vma.vm_start, end};
    if (!maple.prepare(whole, {entry_at(vma, whole)})) return false;
    change_vma(m, vma, [&] {
      vma.vm_end = end;
      maple.store();
    });
  }
  m.tracepoints->mapped(*grown);
  return true;
}

// Maps `to`, so that the pages of `vma` from `from` on can move there: as part of a
// neighbour, if one is alike.  Returns nullptr if there is no memory.  `vma` may be
// freed: it may become one with the new place.  Kernel: copy_vma().
Vma* copy_vma(Machine& m, Vma& vma, VirtAddr from, VirtRange to)
    REQUIRES(vma.vm_mm->mmap_sem) {
  NewVma what{to, vma.vm_flags, vma.vm_file, vma.index_of(from)};
  // Of pages that do not exist yet the index is free to choose.
  if (vma.vm_file == nullptr && !m.scheme().may_have_anon(vma)) {
    what.pgoff = to.start >> kPageShift;
  }
  if (Vma* const merged = vma_merge(m, *vma.vm_mm, what, &vma)) return merged;
  Vma* const copy = copy_vma_struct(m, vma);
  if (copy == nullptr) return nullptr;
  copy->vm_start = to.start;
  copy->vm_end = to.end;
  copy->vm_pgoff = what.pgoff;
  if (m.scheme().link(*copy, vma, rmap::Why::kMove) != Status::kOk) {
    free_vma(m, *copy);
    return nullptr;
  }
  copy->vm_mm->mmap_sem.assert_held();
  if (vma_link(m, *copy) != Status::kOk) {
    m.scheme().unlink(*copy);
    free_vma(m, *copy);
    return nullptr;
  }
  return copy;
}

// Moves what is at `from` to `to`, which `dst` has; returns whether it could: if not,
// all is where it was.
bool move_pages(Machine& m, Mm& mm, VirtRange from, Vma& dst, VirtAddr to)
    REQUIRES(mm.mmap_sem) {
  Vma& src = *mm.vmas.find(from.start);
  const PageMove move{src, from, dst, to};
  move.src.vm_mm->mmap_sem.assert_held();
  move.dst.vm_mm->mmap_sem.assert_held();
  vma_start_change(m, move.src);
  vma_start_change(m, move.dst);
  m.tracepoints->move_begin(mm, from, to);
  const std::uint64_t moved = move_page_tables(m, move);
  const bool all = moved == from.end - from.start;
  if (!all) {
    const PageMove back{dst, {to, to + moved}, src, from.start};
    back.src.vm_mm->mmap_sem.assert_held();
    move_page_tables(m, back);
  }
  m.tracepoints->move_end(mm, from, to, all);
  return all;
}

// Kernel: move_vma().
Result<VirtAddr> move_vma(Machine& m, Vma& vma, const MremapRequest& request,
                          VirtAddr new_addr) REQUIRES(vma.vm_mm->mmap_sem) {
  Mm& mm = *vma.vm_mm;
  const VirtRange from = pages_at(request.addr, request.old_pages);
  const VirtRange to = pages_at(new_addr, request.new_pages);
  // What is unmapped in the end may have to be split from both sides.
  if (too_many_vmas(mm, 3)) return Status::kNoMemory;
  Vma* const copy = copy_vma(m, vma, from.start, to);
  if (copy == nullptr) return Status::kNoMemory;
  m.tracepoints->mapped(*copy);
  mm.mmap_sem.assert_held();
  const bool moved = move_pages(m, mm, from, *copy, to.start);
  // Without memory for a split it stays mapped, and empty.
  if (!moved) (void)do_munmap_locked(m, mm, to);
  if (moved && !request.dont_unmap) (void)do_munmap_locked(m, mm, from);
  if (!moved) return Status::kNoMemory;
  return new_addr;
}

// Makes room at the address that is asked for, and drops what is behind the new end.
Status make_room(Machine& m, Mm& mm, MremapRequest& request) REQUIRES(mm.mmap_sem) {
  Status status = Status::kOk;
  if (request.new_addr != 0) {
    status = do_munmap_locked(m, mm, pages_at(request.new_addr, request.new_pages));
  }
  if (status != Status::kOk || request.old_pages <= request.new_pages) return status;
  const VirtAddr end = request.addr + (request.new_pages << kPageShift);
  const VirtAddr old_end = pages_at(request.addr, request.old_pages).end;
  if (old_end > kUserEnd) return Status::kInvalid;
  status = do_munmap_locked(m, mm, {end, old_end});
  request.old_pages = request.new_pages;
  return status;
}

// Grows what is in place already, or moves it.  Kernel: the rest of do_mremap().
Result<VirtAddr> resize(Machine& m, Mm& mm, const MremapRequest& request)
    REQUIRES(mm.mmap_sem) {
  const VirtRange before = pages_at(request.addr, request.old_pages);
  Vma* const vma = vma_with(m, mm, before);
  if (vma == nullptr) return Status::kFault;
  vma->vm_mm->mmap_sem.assert_held();
  const std::uint64_t first = vma->index_of(request.addr);
  if (first > ~0ull - request.new_pages) return Status::kInvalid;
  if (request.dont_unmap && vma->vm_file != nullptr) return Status::kInvalid;
  const VirtAddr end = pages_at(request.addr, request.new_pages).end;
  if (request.new_addr == 0 && !request.dont_unmap && before.end == vma->vm_end &&
      grow_in_place(m, *vma, end)) {
    return request.addr;
  }
  if (!request.may_move) return Status::kNoMemory;
  VirtAddr new_addr = request.new_addr;
  if (new_addr == 0) {
    new_addr = get_unmapped_area(mm, request.new_pages << kPageShift);
  }
  if (new_addr == 0) return Status::kNoMemory;
  return move_vma(m, *vma, request, new_addr);
}

}  // namespace

Result<VirtAddr> do_mremap(Machine& m, Mm& mm, const MremapRequest& wanted) {
  if (!is_valid(wanted)) return Status::kInvalid;
  const MmapWriteGuard guard(m, mm);
  MremapRequest request = wanted;
  const bool fixed = request.new_addr != 0;
  const bool grows = request.old_pages < request.new_pages;
  const Status status = make_room(m, mm, request);
  if (status != Status::kOk) return status;
  // What shrinks, or keeps its size, stays where it is, mapped or not.
  if (!fixed && !grows && !request.dont_unmap) return request.addr;
  return resize(m, mm, request);
}

}  // namespace racier
