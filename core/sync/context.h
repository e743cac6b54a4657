// core/sync/context.h - may the running task sleep?
#pragma once
#include <source_location>

#include "core/sync/task.h"

namespace racier {

// States that the caller may sleep here.  In atomic context (a spinlock is held, or an RCU
// read section is open) that is the finding "BUG: sleeping function called from invalid
// context", whether it would have slept this time or not.  Kernel: might_sleep().
void might_sleep(std::source_location where = std::source_location::current());

// Enters and leaves atomic context; they nest.  Spinlocks and classic RCU do it themselves.
// The end of the outermost one is a step if a grace period waits for it.
// Kernel: preempt_disable(), preempt_enable().
void preempt_disable();
void preempt_enable(std::source_location where = std::source_location::current());

namespace sync {

// The end of a section of `self` that a grace period may wait for, as a step if one does.
// The section ends even if the step throws.
class SectionEnd {
 public:
  explicit SectionEnd(std::atomic<std::uint32_t>& section) : section_(section) {}
  // Release: what the section read and wrote comes before what follows the grace period.
  ~SectionEnd() {
    section_.store(section_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  SectionEnd(const SectionEnd&) = delete;
  SectionEnd& operator=(const SectionEnd&) = delete;

 private:
  std::atomic<std::uint32_t>& section_;
};

inline void begin_section(std::atomic<std::uint32_t>& section) {
  section.store(section.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

inline void preempt_disable(Task& self) {
  if (self.preempt_count++ == 0) begin_section(self.preempt_section);
}

inline void preempt_enable(Task& self, std::source_location where) {
  if (--self.preempt_count != 0) return;
  const SectionEnd end(self.preempt_section);
  // On threads this may miss a watcher that came just now; there a watcher polls.
  if (self.section_watchers.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    step({&self.preempt_section, Access::kWrite, std::memory_order_release, where,
          sizeof self.preempt_section});
  }
}

}  // namespace sync
}  // namespace racier
