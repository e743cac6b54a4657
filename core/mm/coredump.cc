// core/mm/coredump.cc - a second user of a dying address space.
//
// Those who share it are stopped; but others have user references, and map and unmap
// until they are done.  So what there is to dump is written down under mmap_sem, and
// each page is then looked for anew.
//
// Tested by coredump_test.cc and corpus/programs/coredump_*.racier.
#include "core/mm/coredump.h"

#include <algorithm>
#include <vector>

#include "core/base/bug.h"
#include "core/mm/gup.h"
#include "core/mm/oom.h"

namespace racier {
namespace {

// Returns how many pages of a vma at `range` could be read.
std::uint64_t dump_pages(Machine& m, Mm& mm, VirtRange range) {
  const std::uint64_t pages = std::min(range.pages(), kDumpedPagesMax);
  std::uint64_t dumped = 0;
  for (std::uint64_t page = 0; page < pages; ++page) {
    if (read_process_vm(m, mm, range.start + (page << kPageShift))) ++dumped;
  }
  return dumped;
}

// Kernel: dump_vma_snapshot().
std::vector<VirtRange> snapshot(Mm& mm) {
  const ReadGuard guard(mm.mmap_sem);
  std::vector<VirtRange> ranges;
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    ranges.push_back(vma->range());
  }
  return ranges;
}

// Returns the vma behind `at`, or the first one if that is nullptr.
Vma* next_vma(Mm& mm, Vma* at) {
  const SpinGuard guard(mm.page_table_lock);
  return at == nullptr ? mm.vmas.first() : VmaTree::next(*at);
}

// Walks the list of vmas as it is: each may be gone when the next one is looked for.
std::uint64_t dump_unlocked(Machine& m, Mm& mm) {
  std::uint64_t dumped = 0;
  for (Vma* vma = next_vma(mm, nullptr); vma != nullptr; vma = next_vma(mm, vma)) {
    dumped += dump_pages(m, mm, vma->range());
    step({vma, Access::kRead, std::memory_order_relaxed,
          std::source_location::current(), sizeof(Vma)});
  }
  return dumped;
}

}  // namespace

std::uint64_t do_coredump(Machine& m, Mm& mm) {
  kill_users(mm);
  if (bug::armed(Bug::kCoredumpVsMmget)) return dump_unlocked(m, mm);
  std::uint64_t dumped = 0;
  for (const VirtRange range : snapshot(mm)) dumped += dump_pages(m, mm, range);
  return dumped;
}

}  // namespace racier
