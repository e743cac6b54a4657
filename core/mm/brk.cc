// core/mm/brk.cc - moves the end of the heap.
// Tested by brk_test.cc.
#include "core/mm/mmap.h"
#include "core/mm/munmap.h"
#include "core/mm/vma_cache.h"
#include "core/mm/vma_link.h"

namespace racier {
namespace {

constexpr std::uint32_t kHeapFlags = kVmRead | kVmWrite;

// Maps `range` behind the heap.  Kernel: do_brk().
Status grow_heap(Machine& m, Mm& mm, VirtRange range) REQUIRES(mm.mmap_sem) {
  // One page between the heap and what is above it stays free.
  const VirtRange needed{range.start, range.end + kPageSize};
  if (mm.vmas.find_intersection(needed) != nullptr) return Status::kNoMemory;
  return map_new_vma(m, mm, {.range = range, .vm_flags = kHeapFlags});
}

}  // namespace

VirtAddr do_brk(Machine& m, Mm& mm, VirtAddr brk) {
  const MmapWriteGuard guard(m, mm);
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
