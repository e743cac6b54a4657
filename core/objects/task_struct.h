// core/objects/task_struct.h - a process or a kernel thread, as others see it.
//
// Not sync/task.h, which is a thread of execution of a run: whichever of those works
// for a process has its task_struct in hand.
#pragma once
#include <cstdint>

#include "core/objects/mm.h"
#include "core/sync/atomic.h"
#include "core/sync/spin_lock.h"

namespace racier {

// Kernel: PF_*, and what signals and vfork add.
enum class TaskFlag : std::uint32_t {
  kKthread = 1,     // a kernel thread: it has no address space of its own
  kBorrowedMm = 2,  // PF_BORROWED_MM: it does use_mm(), and has no user reference
  kOnCpu = 4,       // of a kernel thread: it is doing something
  kExiting = 8,     // PF_EXITING: its address space is gone for ever
  kKilled = 16,     // by a signal
  kVfork = 32,      // it was made by vfork, and has its parent's address space still
};

// Kernel: struct task_struct, v2.6.10.
struct TaskStruct {
  // Kernel: alloc_lock.  A leaf.
  SpinLock task_lock{lock_class::kTaskLock};
  // The address space that it runs in, with a user reference unless it is borrowed; and
  // the one that its CPU has loaded: of a kernel thread that one stays, with a
  // reference to the object, when the thread is done with it.  All three are changed
  // under task_lock, and so read; whoever reads them without does so at his own risk.
  Atomic<Mm*> mm{nullptr};
  Atomic<Mm*> active_mm{nullptr};
  Atomic<std::uint32_t> flags{0};

  // The flags, without a step.  Context: task_lock held, or nobody runs.
  bool is(TaskFlag flag) const {
    return (flags.peek() & static_cast<std::uint32_t>(flag)) != 0;
  }
  void set(TaskFlag flag) {
    flags.poke(flags.peek() | static_cast<std::uint32_t>(flag));
  }
  void clear(TaskFlag flag) {
    flags.poke(flags.peek() & ~static_cast<std::uint32_t>(flag));
  }
};

}  // namespace racier
