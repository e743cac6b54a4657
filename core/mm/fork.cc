// core/mm/fork.cc - makes, copies and ends address spaces.
// Tested by fork_test.cc.
#include "core/mm/fork.h"

#include <utility>

#include "core/base/bug.h"
#include "core/mm/aio.h"
#include "core/mm/copy_page_range.h"
#include "core/mm/filemap.h"
#include "core/mm/maple_store.h"
#include "core/mm/mmap.h"
#include "core/mm/mmlist.h"
#include "core/mm/page_alloc.h"
#include "core/mm/tlb.h"
#include "core/mm/vma_cache.h"
#include "core/mm/vma_link.h"
#include "core/rmap/scheme.h"
#include "core/sync/context.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

constexpr VirtAddr kStartBrk = 0x1000'0000;

void add_to_mms(Machine& m, Mm& mm) {
  const SpinGuard guard(m.mms_lock);
  m.mms.push_back(mm);
}

void take_off_mms(Machine& m, Mm& mm) {
  const SpinGuard guard(m.mms_lock);
  m.mms.erase(mm);
}

// Frees the root table, which all others are gone from.
void free_root(Machine& m, Mm& mm) {
  flush_tlb_mm(m, mm);
  Page& root = m.page(mm.context.root);
  mm.context.root = kNoPfn;
  put_page(m, root);
}

// Copies one vma and what it maps: in the reverse map first, then where faults and file
// walks look, then the ptes.
Status dup_vma(Machine& m, Mm& child, Vma& src)
    REQUIRES(src.vm_mm->mmap_sem, child.mmap_sem) {
  Vma* const dst = copy_vma_struct(m, src);
  if (dst == nullptr) return Status::kNoMemory;
  dst->vm_mm = &child;
  dst->vm_flags &= ~kVmLocked;
  const bool wiped = src.is(kVmWipeOnFork);
  if (!wiped && m.scheme().link(*dst, src, rmap::Why::kFork) != Status::kOk) {
    if (!bug::armed(Bug::kForkErrorForgetsVma)) free_vma(m, *dst);
    return Status::kNoMemory;
  }
  dst->vm_mm->mmap_sem.assert_held();
  if (vma_link(m, *dst) != Status::kOk) {
    m.scheme().unlink(*dst);
    free_vma(m, *dst);
    return Status::kNoMemory;
  }
  return wiped ? Status::kOk : copy_page_range(m, *dst, src);
}

// Tells whoever watches which vmas the child has not got, or has got empty.
void tell_what_is_not_copied(Machine& m, const Mm& child, const Mm& parent) {
  for (Vma* vma = parent.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    if (vma->is(kVmDontCopy)) {
      m.tracepoints->unmap_begin(child, vma->range());
      m.tracepoints->unmap_end(child, vma->range());
    } else if (vma->is(kVmWipeOnFork)) {
      m.tracepoints->discard_begin(child, vma->range(), false);
      m.tracepoints->discard_end(child, vma->range(), false);
    }
  }
}

// Kernel: dup_mmap().
Status dup_mmap(Machine& m, Mm& child, Mm& parent) {
  const MmapWriteGuard parent_guard(m, parent);
  const MmapWriteGuard child_guard(m, child, 1);
  // What a reaper has taken away the child would miss, and nobody would know.
  if (!still(!parent.is(MmFlag::kUnstable))) return Status::kKilled;
  child.exe_file = parent.exe_file;
  if (child.exe_file != nullptr) child.exe_file->count.inc();
  if (bug::armed(Bug::kMmlistChildBehindStranger)) {
    mmlist_join_behind(m, child, parent);
  }
  m.tracepoints->fork_begin(parent, child);
  child.start_brk = parent.start_brk;
  child.brk = parent.brk;
  Status status = Status::kOk;
  for (Vma* vma = parent.vmas.first(); vma != nullptr && status == Status::kOk;
       vma = VmaTree::next(*vma)) {
    vma->vm_mm->mmap_sem.assert_held();
    if (!bug::armed(Bug::kForkVsLocklessFault)) vma_start_write(m, *vma);
    if (!vma->is(kVmDontCopy)) status = dup_vma(m, child, *vma);
  }
  // Until here a thread of the parent may write, through its TLB, what is shared now.
  flush_tlb_mm(m, parent);
  tell_what_is_not_copied(m, child, parent);
  m.tracepoints->fork_end(parent, child, status == Status::kOk);
  return status;
}

}  // namespace

Mm* mm_create(Machine& m) {
  Page* const root = alloc_zeroed_page(m, Gfp::kKernel);
  if (root == nullptr) return nullptr;
  Mm* const mm = m.mm_cache.create(m.next_mm_id());
  if (mm == nullptr) {
    put_page(m, *root);
    return nullptr;
  }
  mm->context.root = root->pfn;
  mm->start_brk = mm->brk = kStartBrk;
  add_to_mms(m, *mm);
  m.tracepoints->mm_created(*mm);
  return mm;
}

Result<Mm*> dup_mm(Machine& m, Mm& parent) {
  Mm* const child = mm_create(m);
  if (child == nullptr) return Status::kNoMemory;
  child->parent_id = parent.id;
  // A copy of the parent's mm_struct has the pointer, and no reference yet.
  if (bug::armed(Bug::kForkErrorPathRefs)) child->exe_file = parent.exe_file;
  const Status status = dup_mmap(m, *child, parent);
  if (status == Status::kOk) return child;
  mmput(m, *child);
  return status;
}

void mmget(Mm& mm, std::source_location where) { mm.mm_users.inc(where); }

bool mmget_not_zero(Mm& mm, std::source_location where) {
  return mm.mm_users.inc_not_zero(where);
}

void mmput(Machine& m, Mm& mm) {
  might_sleep();
  if (!mm.mm_users.dec_and_test()) return;
  exit_aio(m, mm);
  if (bug::armed(Bug::kMmlistLeftBeforeExit)) mmlist_leave(m, mm);
  exit_mmap(m, mm);
  // Not before: until its ptes are gone, whoever unmaps a page of it may let it join.
  if (!bug::armed(Bug::kMmlistLeftBeforeExit)) mmlist_leave(m, mm);
  if (mm.exe_file != nullptr) fput(m, *std::exchange(mm.exe_file, nullptr));
  m.tracepoints->mm_exited(mm);
  free_root(m, mm);
  mmdrop(m, mm);
}

void mmgrab(Mm& mm, std::source_location where) { mm.mm_count.inc(where); }

void mmdrop(Machine& m, Mm& mm) {
  if (!mm.mm_count.dec_and_test()) return;
  take_off_mms(m, mm);
  shoot_lazy_tlbs(m, mm);
  m.mm_cache.destroy(&mm);
}

}  // namespace racier
