// core/sync/context.cc - finds sleeps in atomic context.
//
// Tested by context_test.cc.
#include "core/sync/context.h"

#include "core/base/finding.h"
#include "core/base/source_name.h"
#include "core/sync/contention.h"
#include "core/sync/lock_checker.h"

namespace racier {
namespace {

void sleeps_in_atomic(const Task& self, std::source_location where) {
  if (sync::unwinding()) return;
  std::string detail = "preempt_count " + std::to_string(self.preempt_count) +
                       ", rcu_read_lock nesting " + std::to_string(self.rcu_nesting) +
                       LockChecker::held_locks(self);
  report(FindingKind::kAtomicSleep,
         "BUG: sleeping function called from invalid context in " +
             bare_function_name(where.function_name()),
         std::move(detail), where);
}

}  // namespace

void might_sleep(std::source_location where) {
  const Task* const self = current();
  if (self == nullptr) return;
  if (self->preempt_count > 0 || self->rcu_nesting > 0) [[unlikely]] {
    sleeps_in_atomic(*self, where);
  }
}

void preempt_disable() {
  if (Task* const self = current()) sync::preempt_disable(*self);
  weak_barrier();
}

void preempt_enable() {
  weak_barrier();
  if (Task* const self = current()) sync::preempt_enable(*self);
}

}  // namespace racier
