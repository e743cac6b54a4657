// core/mm/oom.cc - chooses, kills, reaps.
//
// A reaper has a reference to the object alone: with one to the users it might become
// the last of them, and would have to wait for whoever works there.
//
// Tested by oom_test.cc and corpus/programs/oom_*.racier.
#include "core/mm/oom.h"

#include "core/base/mark.h"
#include "core/mm/fork.h"
#include "core/mm/gather.h"
#include "core/mm/mmu_notifier.h"
#include "core/mm/zap.h"
#include "core/objects/ptl.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

// Returns the mm of `task` if it can be killed.
Mm* victim_of(const TaskStruct& task) REQUIRES(task.task_lock) {
  Mm* const mm = task.mm.peek();
  if (mm == nullptr || task.is(TaskFlag::kBorrowedMm)) return nullptr;
  return mm->is(MmFlag::kKilled) ? nullptr : mm;
}

// Returns the task whose mm has the most pages, or nullptr.  Kernel:
// select_bad_process().
TaskStruct* select_bad_process(Machine& m) {
  TaskStruct* chosen = nullptr;
  std::int64_t most = -1;
  for (TaskStruct& task : m.tasks) {
    if (task.mm.peek() == nullptr) continue;
    const SpinGuard guard(task.task_lock);
    const Mm* const mm = victim_of(task);
    if (mm == nullptr || mm->rss <= most) continue;
    most = mm->rss;
    chosen = &task;
  }
  return chosen;
}

// Kills the users of the mm of `task`; returns it with a reference to the object, or
// nullptr: somebody else did, or it has ended.  Kernel: mark_oom_victim().
Mm* kill_task(TaskStruct& task) {
  const SpinGuard guard(task.task_lock);
  Mm* const mm = victim_of(task);
  if (mm == nullptr) return nullptr;
  kill_users(*mm);
  mmgrab(*mm);
  return mm;
}

// A look at a vma, which is there: a step.
void look_at(const Vma& vma) {
  step({&vma, Access::kRead, std::memory_order_relaxed, std::source_location::current(),
        sizeof vma});
}

// Takes what nobody else can see.
void reap_vma(Machine& m, Mm& mm, Vma& vma) {
  const VirtRange range = vma.range();
  m.tracepoints->discard_begin(mm, range, false);
  const NotifiedRange notified(m, mm, range);
  for_each_locked_table(m, mm, range, [&](VirtRange part) {
    look_at(vma);
    assert_pte_locked(m, *vma.vm_mm, part.start);
    MmuGather tlb(m, mm);
    unmap_page_range(m, tlb, vma, part);
  });
  m.tracepoints->discard_end(mm, range, false);
}

// Kernel: __oom_reap_task_mm().
void reap(Machine& m, Mm& mm) {
  const ReadGuard guard(mm.mmap_sem);
  if (!still(!mm.is(MmFlag::kOomSkip))) return;
  // Who sleeps may wait for memory.  Kernel: 4d4bbd8526a8, v4.11 to v4.18.
  if (!still(!mm_has_sleeping_notifiers(m, mm))) return;
  // Before the first pte goes: from now on no fault brings anything back.
  mm.set(MmFlag::kUnstable);
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    if (!vma->is(kVmShared)) reap_vma(m, mm, *vma);
    look_at(*vma);
  }
  mm.set(MmFlag::kOomSkip);
}

}  // namespace

void kill_users(Mm& mm) { mm.set(MmFlag::kKilled); }

bool out_of_memory(Machine& m) {
  TaskStruct* const task = select_bad_process(m);
  if (task == nullptr) return false;
  Mm* const mm = kill_task(*task);
  if (mm == nullptr) return true;
  mark::hit(Mark::kOomKill);
  reap(m, *mm);
  mmdrop(m, *mm);
  return true;
}

Status process_mrelease(Machine& m, TaskStruct& task) {
  Mm* mm = nullptr;
  {
    const SpinGuard guard(task.task_lock);
    mm = task.is(TaskFlag::kBorrowedMm) ? nullptr : task.mm.peek();
    if (mm == nullptr) return Status::kNoProcess;
    if (!mm->is(MmFlag::kKilled)) return Status::kInvalid;
    mmgrab(*mm);
  }
  reap(m, *mm);
  mmdrop(m, *mm);
  return Status::kOk;
}

}  // namespace racier
