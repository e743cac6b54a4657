// core/mm/task_mm.h - whose address space a task runs in, and who else may use it.
//
// Kernel: kernel/fork.c, kernel/exit.c, fs/exec.c, v2.6.10: PF_BORROWED_MM tells a
// kernel thread that works in a user's address space from those whose own it is, so
// that mmlist_lock need not keep mm_users from rising from the dead.
#pragma once
#include "core/base/status.h"
#include "core/objects/machine.h"

namespace racier {

// Returns the address space of `task` with a user reference of the caller's, or
// nullptr: it has none, or only works in it.  Kernel: get_task_mm().
[[nodiscard]] Mm* get_task_mm(TaskStruct& task);

// Gives a new task its address space, with the caller's user reference.
void set_task_mm(TaskStruct& task, Mm& mm);
// Likewise a child of a task that runs in `parent`.
// Errors: kKilled: the parent has been killed meanwhile; the reference is gone then.
// Context: may sleep.  Kernel: copy_process(), its end, v4.14.
Status start_child(Machine& m, TaskStruct& child, const Mm& parent, Mm& mm);
// Gives a task another address space, with the caller's user reference, and drops the
// one before.
// Errors: kNoProcess (it has none any more), kKilled; the reference is the caller's
// then. Context: may sleep.  Kernel: exec_mmap().
Status exec_mmap(Machine& m, TaskStruct& task, Mm& mm);
// Takes its address space away from a task that ends.  Returns false if it has none.
// Context: may sleep.  Kernel: exit_mm().
bool exit_mm(Machine& m, TaskStruct& task);
// Likewise of one that has been killed, which it remembers.
void exit_killed(Machine& m, TaskStruct& task);

// Makes `task` a kernel thread, for ever: who asks for that flag needs no lock.
void make_kthread(TaskStruct& task);
// Makes it the caller who works as that kernel thread, until stop_kthread().
// Errors: kNoProcess (it is none, or has ended); kBusy (somebody else does).
Status start_kthread(TaskStruct& task);
void stop_kthread(TaskStruct& task);
// Ends a kernel thread.  Errors: as start_kthread().
Status end_kthread(Machine& m, TaskStruct& task);

// Lets a kernel thread work in `mm`, to whose object the caller has a reference, and
// which is not torn down meanwhile (exit_aio()).
// Context: the caller works as the thread.  Kernel: use_mm(), fs/aio.c.
void use_mm(Machine& m, TaskStruct& kthread, Mm& mm);
// Ends that.  The thread's CPU keeps the translations, and the thread a reference to
// the object, until it uses another one.  Kernel: unuse_mm().
void unuse_mm(TaskStruct& kthread);

// Notes that `child`, a new task, has the address space of its parent.
void begin_vfork(TaskStruct& child);
// Waits until it has let go of it, or `hopeless` returns true, which is asked whenever
// Machine::task_wait is woken for that task, or for all.  Returns kAgain then.
// Context: may sleep.  Kernel: wait_for_completion(&vfork).
Status wait_for_vfork(Machine& m, TaskStruct& child, FunctionRef<bool()> hopeless);

}  // namespace racier
