// core/mm/task_mm.cc - gives, takes and lends address spaces.
// Tested by task_mm_test.cc and corpus/programs.
#include "core/mm/task_mm.h"

#include "core/base/bug.h"
#include "core/base/invariant.h"
#include "core/mm/fork.h"
#include "core/sync/sites.h"

namespace racier {
namespace {

// What a task had.
struct Taken {
  Mm* mm = nullptr;
  bool vfork = false;  // its parent may wait for it
};

// Takes its address space out of `task`, unless that is not its own, and puts `next`
// in its place.
Taken take_mm(TaskStruct& task, Mm* next) REQUIRES(task.task_lock) {
  Mm* const mm = task.mm.peek();
  if (mm == nullptr || task.is(TaskFlag::kBorrowedMm)) return {};
  task.mm.poke(next);
  task.active_mm.poke(next);
  const Taken taken{mm, task.is(TaskFlag::kVfork)};
  task.clear(TaskFlag::kVfork);
  return taken;
}

// Kernel: mm_release(), mmput().
void release(Machine& m, TaskStruct& task, const Taken& taken) {
  if (taken.vfork) m.task_wait.wake_all(std::source_location::current(), {&task});
  mmput(m, *taken.mm);
}

bool let_go(Machine& m, TaskStruct& task, TaskFlag reason) {
  Taken taken;
  {
    const SpinGuard guard(task.task_lock);
    taken = take_mm(task, nullptr);
    if (taken.mm == nullptr) return false;
    task.set(TaskFlag::kExiting);
    task.set(reason);
  }
  release(m, task, taken);
  return true;
}

// Returns whether `task` only works in its mm.  Context: task_lock held.
bool borrows(const TaskStruct& task, std::uint32_t flags_before) {
  if (bug::armed(Bug::kGetTaskMmBorrowed)) return false;
  const std::uint32_t flags =
      bug::armed(Bug::kBorrowedFlagUnlocked) ? flags_before : task.flags.peek();
  return (flags & static_cast<std::uint32_t>(TaskFlag::kBorrowedMm)) != 0;
}

}  // namespace

Mm* get_task_mm(TaskStruct& task) {
  std::uint32_t flags_before = 0;
  if (bug::armed(Bug::kBorrowedFlagUnlocked)) flags_before = task.flags.load();
  const SpinGuard guard(task.task_lock);
  Mm* const mm = task.mm.peek();
  if (mm == nullptr || !still(!borrows(task, flags_before))) return nullptr;
  mmget(*mm);
  return mm;
}

void set_task_mm(TaskStruct& task, Mm& mm) {
  const SpinGuard guard(task.task_lock);
  task.mm.poke(&mm);
  task.active_mm.poke(&mm);
}

// The error path comes behind the moment when the mm was active in the child.  To end
// the child as one that has run would leave it so, and nobody switches away from it.
Status start_child(Machine& m, TaskStruct& child, const Mm& parent, Mm& mm) {
  if (!parent.is(MmFlag::kKilled)) {
    set_task_mm(child, mm);
    return Status::kOk;
  }
  if (bug::armed(Bug::kForkErrorKeepsMmCount)) mmgrab(mm);
  mmput(m, mm);
  return Status::kKilled;
}

Status exec_mmap(Machine& m, TaskStruct& task, Mm& mm) {
  Taken before;
  {
    const SpinGuard guard(task.task_lock);
    const Mm* const old = task.mm.peek();
    if (old == nullptr) return Status::kNoProcess;
    if (old->is(MmFlag::kKilled)) return Status::kKilled;
    before = take_mm(task, &mm);
  }
  release(m, task, before);
  return Status::kOk;
}

bool exit_mm(Machine& m, TaskStruct& task) {
  return let_go(m, task, TaskFlag::kExiting);
}

void exit_killed(Machine& m, TaskStruct& task) { let_go(m, task, TaskFlag::kKilled); }

void make_kthread(TaskStruct& task) {
  const SpinGuard guard(task.task_lock);
  task.set(TaskFlag::kKthread);
}

Status start_kthread(TaskStruct& task) {
  const SpinGuard guard(task.task_lock);
  if (!task.is(TaskFlag::kKthread) || task.is(TaskFlag::kExiting)) {
    return Status::kNoProcess;
  }
  if (task.is(TaskFlag::kOnCpu)) return Status::kBusy;
  task.set(TaskFlag::kOnCpu);
  return Status::kOk;
}

void stop_kthread(TaskStruct& task) {
  const SpinGuard guard(task.task_lock);
  task.clear(TaskFlag::kOnCpu);
}

Status end_kthread(Machine& m, TaskStruct& task) {
  const Status status = start_kthread(task);
  if (status != Status::kOk) return status;
  Mm* lazy = nullptr;
  {
    const SpinGuard guard(task.task_lock);
    lazy = task.active_mm.peek();
    task.active_mm.poke(nullptr);
    task.set(TaskFlag::kExiting);
    task.clear(TaskFlag::kOnCpu);
  }
  if (lazy != nullptr) mmdrop(m, *lazy);
  return Status::kOk;
}

void use_mm(Machine& m, TaskStruct& kthread, Mm& mm) {
  Mm* lazy = nullptr;
  {
    const SpinGuard guard(kthread.task_lock);
    kthread.set(TaskFlag::kBorrowedMm);
    if (kthread.active_mm.peek() != &mm) {
      mmgrab(mm);
      lazy = kthread.active_mm.peek();
      kthread.active_mm.poke(&mm);
    }
    kthread.mm.poke(&mm);
  }
  if (lazy != nullptr) mmdrop(m, *lazy);
}

void unuse_mm(TaskStruct& kthread) {
  if (bug::armed(Bug::kUnuseMmFlagFirst)) {
    kthread.flags.fetch_and(~static_cast<std::uint32_t>(TaskFlag::kBorrowedMm));
  }
  const SpinGuard guard(kthread.task_lock);
  kthread.clear(TaskFlag::kBorrowedMm);
  kthread.mm.poke(nullptr);
}

void begin_vfork(TaskStruct& child) {
  const SpinGuard guard(child.task_lock);
  child.set(TaskFlag::kVfork);
}

Status wait_for_vfork(Machine& m, TaskStruct& child, FunctionRef<bool()> hopeless) {
  bool done = false;
  m.task_wait.wait(
      [&] {
        const SpinGuard guard(child.task_lock);
        done = !child.is(TaskFlag::kVfork);
        return done || hopeless();
      },
      std::source_location::current(), {&child});
  return done ? Status::kOk : Status::kAgain;
}

}  // namespace racier
