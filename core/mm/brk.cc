// core/mm/brk.cc - moves the end of the heap.
// Tested by brk_test.cc.
#include "core/mm/mmap.h"
#include "core/mm/munmap.h"
#include "core/mm/vma_link.h"

namespace racier {
namespace {

constexpr std::uint32_t kHeapFlags = kVmRead | kVmWrite;

// Returns the vma whose extension makes a heap grow that ends at `end`, or nullptr.
Vma* extensible_vma(Mm& mm, VirtAddr end) {
  if (end <= mm.start_brk) return nullptr;
  Vma* const vma = mm.vmas.find(end - 1);
  const bool is_heap = vma != nullptr && vma->vm_end == end &&
                       vma->vm_start >= mm.start_brk && vma->vm_file == nullptr &&
                       vma->vm_flags == kHeapFlags &&
                       vma->vm_pgoff == vma->vm_start >> kPageShift;
  return is_heap ? vma : nullptr;
}

// Maps `range` behind the heap.  Kernel: do_brk().
Status grow_heap(Machine& m, Mm& mm, VirtRange range) REQUIRES(mm.mmap_sem) {
  // One page between the heap and what is above it stays free.
  const VirtRange needed{range.start, range.end + kPageSize};
  if (mm.vmas.find_intersection(needed) != nullptr) return Status::kNoMemory;
  Vma* const heap = extensible_vma(mm, range.start);
  if (heap == nullptr) {
    return map_new_vma(m, mm, {.range = range, .vm_flags = kHeapFlags});
  }
  heap->vm_mm->mmap_sem.assert_held();
  change_vma(m, *heap, [&] { heap->vm_end = range.end; });
  m.tracepoints->mapped(*heap);
  return Status::kOk;
}

}  // namespace

VirtAddr do_brk(Machine& m, Mm& mm, VirtAddr brk) {
  const WriteGuard guard(mm.mmap_sem);
  if (brk < mm.start_brk || brk > kUserEnd - kPageSize) return mm.brk;
  const VirtAddr old_end = page_ceil(mm.brk);
  const VirtAddr new_end = page_ceil(brk);
  Status status = Status::kOk;
  if (new_end > old_end) status = grow_heap(m, mm, {old_end, new_end});
  if (new_end < old_end) status = do_munmap_locked(m, mm, {new_end, old_end});
  if (status == Status::kOk) mm.brk = brk;
  return mm.brk;
}

}  // namespace racier
