// core/mm/vma_link.cc - links, splits and removes vmas under everybody's locks.
//
//   mmap_sem -> i_mmap_lock and the scheme's lock, in the scheme's order
//     -> page_table_lock
//
// Tested by vma_link_test.cc and munmap_test.cc.
#include "core/mm/vma_link.h"

#include "core/base/bug.h"
#include "core/mm/filemap.h"
#include "core/mm/maple_store.h"
#include "core/mm/mmap.h"
#include "core/mm/vma_cache.h"
#include "core/mm/vma_merge.h"
#include "core/rmap/scheme.h"

namespace racier {
namespace {

void link_in_tree(Vma& vma, MapleStore& maple) REQUIRES(vma.vm_mm->mmap_sem) {
  const SpinGuard guard(vma.vm_mm->page_table_lock);
  vma.vm_mm->vmas.insert(vma);
  maple.store();
  ++vma.vm_mm->map_count;
}

// Kernel: remove_vm_struct(), the part for files.
void unlink_file_vma(Vma& vma) {
  if (vma.vm_file == nullptr) return;
  const SpinGuard guard(vma.vm_file->i_mmap_lock);
  vma.vm_file->i_mmap.erase(vma);
}

}  // namespace

bool too_many_vmas(const Mm& mm, int room) {
  return mm.map_count >= kMapCountMax - room;
}

Vma* copy_vma_struct(Machine& m, const Vma& vma) {
  Vma* const copy = alloc_vma_struct(m);
  if (copy == nullptr) return nullptr;
  copy->vm_mm = vma.vm_mm;
  copy->vm_start = vma.vm_start;
  copy->vm_end = vma.vm_end;
  copy->vm_flags = vma.vm_flags;
  copy->vm_pgoff = vma.vm_pgoff;
  copy->vm_file = vma.vm_file;
  if (copy->vm_file != nullptr) copy->vm_file->count.inc();
  return copy;
}

void free_vma(Machine& m, Vma& vma) {
  AddressSpace* const file = vma.vm_file;
  free_vma_struct(m, vma);
  if (file != nullptr) fput(m, *file);
}

Status vma_link(Machine& m, Vma& vma) {
  MapleStore maple(m, *vma.vm_mm);
  if (!maple.prepare(vma.range(), {entry_at(vma, vma.range())}))
    return Status::kNoMemory;
  vma_attach(m, vma);
  if (vma.vm_file == nullptr) {
    link_in_tree(vma, maple);
    return Status::kOk;
  }
  const SpinGuard guard(vma.vm_file->i_mmap_lock);
  link_in_tree(vma, maple);
  vma.vm_file->i_mmap.insert(vma);
  return Status::kOk;
}

void hide_vma(Machine& m, Vma& vma) {
  unlink_file_vma(vma);
  m.scheme().unlink(vma);
}

void remove_vma(Machine& m, Vma& vma) {
  hide_vma(m, vma);
  free_vma(m, vma);
}

Status map_new_vma(Machine& m, Mm& mm, const NewVma& what) {
  NewVma placed = what;
  if (what.file == nullptr) placed.pgoff = what.range.start >> kPageShift;
  if (const Vma* const merged = vma_merge(m, mm, placed, nullptr)) {
    m.tracepoints->mapped(*merged);
    if (what.file != nullptr) fput(m, *what.file);  // the merged vma has its own
    return Status::kOk;
  }
  Vma* const vma = too_many_vmas(mm) ? nullptr : alloc_vma_struct(m);
  if (vma == nullptr) return Status::kNoMemory;
  vma->vm_mm = &mm;
  vma->vm_start = what.range.start;
  vma->vm_end = what.range.end;
  vma->vm_flags = what.vm_flags;
  vma->vm_file = what.file;
  vma->vm_pgoff = placed.pgoff;
  vma->vm_mm->mmap_sem.assert_held();
  if (vma_link(m, *vma) != Status::kOk) {
    free_vma_struct(m, *vma);  // the file stays the caller's
    return Status::kNoMemory;
  }
  m.tracepoints->mapped(*vma);
  return Status::kOk;
}

void vma_start_change(Machine& m, Vma& vma) {
  if (!bug::armed(Bug::kVmaCacheStaleProt)) vma_start_write(m, vma);
}

void change_vma(Machine& m, Vma& vma, FunctionRef<void()> change) {
  vma_start_change(m, vma);
  m.scheme().adjust(vma, [&] {
    const SpinGuard ptl(vma.vm_mm->page_table_lock);
    change();
  });
}

Result<Vma*> split_vma(Machine& m, Vma& vma, VirtAddr addr) {
  Vma* const upper = too_many_vmas(*vma.vm_mm) ? nullptr : copy_vma_struct(m, vma);
  if (upper == nullptr) return Status::kNoMemory;
  upper->vm_start = addr;
  upper->vm_pgoff = vma.index_of(addr);
  MapleStore maple(m, *vma.vm_mm);
  const bool prepared = maple.prepare(vma.range(), {entry_at(vma, {vma.vm_start, addr}),
                                                    entry_at(*upper, upper->range())});
  // From here on a walk is shown the upper part's pages twice, as part of either vma:
  // both lead to one pte.  It never misses them.
  if (!prepared || m.scheme().link(*upper, vma, rmap::Why::kSplit) != Status::kOk) {
    free_vma(m, *upper);
    return Status::kNoMemory;
  }
  vma_attach(m, *upper);
  change_vma(m, vma, [&] {
    vma.vm_end = addr;
    vma.vm_mm->vmas.insert(*upper);
    maple.store();
    ++vma.vm_mm->map_count;
    if (upper->vm_file == nullptr) return;
    upper->vm_file->i_mmap_lock.assert_held();
    upper->vm_file->i_mmap.insert(*upper);
  });
  return upper;
}

Result<Vma*> change_vma_flags(Machine& m, Vma& vma, VirtRange range,
                              std::uint32_t vm_flags) {
  if (vm_flags == vma.vm_flags) return &vma;
  Vma* part = &vma;
  if (vma.vm_start < range.start) {
    const Result<Vma*> upper = split_vma(m, vma, range.start);
    if (!upper) return upper;
    part = *upper;
  }
  part->vm_mm->mmap_sem.assert_held();
  if (part->vm_end > range.end) {
    const Result<Vma*> rest = split_vma(m, *part, range.end);
    if (!rest) return rest;
  }
  change_vma(m, *part, [&] { part->vm_flags = vm_flags; });
  return part;
}

}  // namespace racier
