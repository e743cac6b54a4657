// core/sync/context.h - may the running task sleep?
#pragma once
#include <source_location>

#include "core/sync/task.h"

namespace racier {

// States that the caller may sleep here.  In atomic context (a spinlock is held, or an
// RCU read section is open) that is the finding "BUG: sleeping function called from
// invalid context", whether it would have slept this time or not.  Kernel:
// might_sleep().
void might_sleep(std::source_location where = std::source_location::current());

// Enters and leaves atomic context; they nest.  Spinlocks and classic RCU do it
// themselves. No step.  Kernel: preempt_disable(), preempt_enable().
void preempt_disable();
void preempt_enable();

namespace sync {

// An edge of a section that a grace period may wait for (rcu.cc).  Its end releases:
// what the section read and wrote comes before what follows the grace period.
inline void begin_section(std::atomic<std::uint32_t>& section) {
  section.store(section.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}
inline void end_section(std::atomic<std::uint32_t>& section) {
  section.store(section.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

inline void preempt_disable(Task& self) {
  if (self.preempt_count++ == 0) begin_section(self.preempt_section);
}
inline void preempt_enable(Task& self) {
  if (--self.preempt_count == 0) end_section(self.preempt_section);
}

}  // namespace sync
}  // namespace racier
