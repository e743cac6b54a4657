// core/mm/proc.cc - takes a user reference, and mmap_sem, and looks.
// Tested by task_mm_test.cc and corpus/programs/proc_*.racier.
#include "core/mm/proc.h"

#include "core/base/bug.h"
#include "core/mm/fork.h"
#include "core/mm/task_mm.h"

namespace racier {
namespace {

std::uint64_t mapped_pages(Mm& mm) {
  const ReadGuard guard(mm.mmap_sem);
  std::uint64_t pages = 0;
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    pages += vma->pages();
  }
  return pages;
}

}  // namespace

Result<std::uint64_t> proc_mapped_pages(Machine& m, TaskStruct& task) {
  if (bug::armed(Bug::kTaskMmUnreferenced)) {
    Mm* const mm = task.mm.load();
    if (mm == nullptr) return Status::kNoProcess;
    return mapped_pages(*mm);
  }
  Mm* const mm = get_task_mm(task);
  if (mm == nullptr) return Status::kNoProcess;
  const std::uint64_t pages = mapped_pages(*mm);
  mmput(m, *mm);
  return pages;
}

}  // namespace racier
