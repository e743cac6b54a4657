// core/mm/exec.cc - makes the first stack of a program, and moves it to its place.
//
// The arguments are written before it is known where the stack will be: at the top of
// user space.  Then the whole stack is shifted down, with its pages.  They are on the
// LRU lists by then, and a reverse-map walk that comes from there must find them; but
// where a page of the vma is follows from the vma's bounds.  So bounds and ptes change
// at one moment for a walk.  The kernels changed the bounds first (2.6.23 to 2.6.34;
// since then migration leaves such a vma alone).
//
// Tested by exec_test.cc.
#include "core/mm/exec.h"

#include <algorithm>

#include "core/base/bug.h"
#include "core/mm/expand_stack.h"
#include "core/mm/fault.h"
#include "core/mm/fork.h"
#include "core/mm/gather.h"
#include "core/mm/maple_store.h"
#include "core/mm/move_page_tables.h"
#include "core/mm/vma_cache.h"
#include "core/mm/vma_link.h"
#include "core/rmap/scheme.h"

namespace racier {
namespace {

constexpr VirtAddr kStackTop = 0x7fff'ffff'f000;
constexpr std::uint32_t kStackFlags = kVmRead | kVmWrite | kVmGrowsDown;

// Maps the last page of user space as a stack.  Kernel: __bprm_mm_init().
Status map_stack(Machine& m, Mm& mm) {
  const MmapWriteGuard guard(m, mm);
  return map_new_vma(
      m, mm, {.range = {kStackTop - kPageSize, kStackTop}, .vm_flags = kStackFlags});
}

// Writes the arguments, from the top down; the stack grows.
Status copy_strings(Mm& mm, std::uint64_t pages, CopyString copy) {
  for (std::uint64_t page = 1; page <= pages; ++page) {
    const Status status = copy(mm, kStackTop - (page << kPageShift));
    if (status != Status::kOk) return status;
  }
  return Status::kOk;
}

bool make_tables(Machine& m, Mm& mm, VirtRange range) {
  for (VirtAddr at = range.start; at < range.end; at += kPageSize) {
    if (!pte_alloc(m, mm, at)) return false;
  }
  return true;
}

void set_bounds(Vma& vma, VirtRange range) {
  vma.vm_start = range.start;
  vma.vm_end = range.end;
}

// Frees the tables of `range`, as far as nobody outside of `free` needs them.
// Kernel: free_pgd_range().
void free_tables(Machine& m, Mm& mm, VirtRange range, VirtRange free) {
  const SpinGuard ptl(mm.page_table_lock);
  MmuGather tlb(m, mm);
  detach_tables(m.frames, mm.context, range, free,
                [&](Pfn table) { tlb.remove_table(table); });
}

// Moves the stack, the only thing that is mapped, down, page by page.
// Errors: kNoMemory; nothing has changed then.
Status shift_arg_pages(Machine& m, Vma& stack, std::uint64_t shift)
    REQUIRES(stack.vm_mm->mmap_sem) {
  Mm& mm = *stack.vm_mm;
  const VirtRange from = stack.range();
  const VirtRange to{from.start - shift, from.end - shift};
  MapleStore maple(m, mm);
  const bool prepared = maple.prepare({to.start, from.end}, {entry_at(stack, to)});
  if (!prepared || !make_tables(m, mm, to)) {
    free_tables(m, mm, {to.start, std::min(to.end, from.start)}, {0, from.start});
    return Status::kNoMemory;
  }
  m.tracepoints->move_begin(mm, from, to.start);
  if (bug::armed(Bug::kShiftArgPagesUnfindable)) {
    change_vma(m, stack, [&] { set_bounds(stack, to); });
  }
  change_vma(m, stack, [&] {
    set_bounds(stack, to);
    maple.store();
    const PageMove move{stack, from, stack, to.start};
    move.dst.vm_mm->page_table_lock.assert_held();
    move_ptes(m, move);
  });
  m.tracepoints->mapped(stack);
  m.tracepoints->move_end(mm, from, to.start, true);
  const VirtRange gone{std::max(from.start, to.end), from.end};
  m.tracepoints->unmap_begin(mm, gone);
  free_tables(m, mm, gone, {to.end, kUserEnd});
  m.tracepoints->unmap_end(mm, gone);
  return Status::kOk;
}

// Kernel: setup_arg_pages().
Status setup_arg_pages(Machine& m, Mm& mm, std::uint64_t shift) {
  if (shift == 0) return Status::kOk;
  const MmapWriteGuard guard(m, mm);
  Vma& stack = *mm.vmas.last();
  stack.vm_mm->mmap_sem.assert_held();
  return shift_arg_pages(m, stack, shift);
}

}  // namespace

Result<Mm*> exec_mm(Machine& m, const ExecRequest& request, CopyString copy) {
  Mm* const mm = mm_create(m);
  if (mm == nullptr) return Status::kNoMemory;
  mm->exe_file = request.exe_file;
  if (mm->exe_file != nullptr) mm->exe_file->count.inc();
  Status status = map_stack(m, *mm);
  if (status == Status::kOk) status = copy_strings(*mm, request.arg_pages, copy);
  if (status == Status::kOk) {
    status = setup_arg_pages(m, *mm, request.shift_pages << kPageShift);
  }
  if (status == Status::kOk) return mm;
  mmput(m, *mm);
  return status;
}

}  // namespace racier
