// core/sync/spin_lock.cc - one word, taken by compare-and-swap.
//
// How every lock of this room goes: the step first, so that nothing of the lock is
// touched before the runtime knows that its memory is alive; then what may be a
// finding; then the word.  Letting go happens even if the step throws, so a run that is
// over leaves no lock.
//
// Tested by spin_lock_test.cc.
#include "core/sync/spin_lock.h"

#include <string>

#include "core/base/source_name.h"
#include "core/sync/contention.h"
#include "core/sync/context.h"
#include "core/sync/lock_checker.h"

namespace racier {

namespace {

// Returns whether the run of `self` does without anything: if not, nothing of a lock is
// touched to ask for it.
bool has_sites(const Task* self) { return self != nullptr && self->sites != nullptr; }

// Returns whether the run is over and the lock's memory is free: a lock that was freed
// while it was held is a finding, and nobody may touch it after that.
bool is_gone(const Task* self, const void* lock) {
  if (self == nullptr || !self->run->over()) return false;
  const LiveMap* const live = self->run->live;
  return live != nullptr && live->is_dead(lock);
}

}  // namespace

// Frees the word and ends atomic context when it goes out of scope.
class SpinLock::LetGo {
 public:
  LetGo(SpinLock& lock, Task* self) : lock_(lock), self_(self) {}
  ~LetGo() {
    if (!is_gone(self_, &lock_)) lock_.word_.raw().store(0, std::memory_order_release);
    if (self_ != nullptr) sync::preempt_enable(*self_);
  }
  LetGo(const LetGo&) = delete;
  LetGo& operator=(const LetGo&) = delete;

 private:
  SpinLock& lock_;
  Task* self_;
};

SpinLock::~SpinLock() {
  RunState* const run = current_run();
  if (is_locked() && run != nullptr && !run->over()) [[unlikely]] {
    Finding finding;
    finding.kind = FindingKind::kLockUse;
    finding.title = std::string("BUG: held lock freed: ") + class_->name;
    run->record(std::move(finding));
  }
  *const_cast<volatile std::uint32_t*>(&magic_) = 0;
}

void SpinLock::bad_magic(Where where) const {
  if (sync::unwinding()) return;
  report(FindingKind::kLockUse,
         "BUG: spinlock bad magic in " + bare_function_name(where.function_name()), "",
         where);
}

// Acquire: pairs with the release of unlock().  On x86 also the full barrier between
// the start of atomic context and what is read in it, for classic RCU: see rcu.cc.
inline bool SpinLock::take() {
  std::uint32_t free = 0;
  return word_.raw().compare_exchange_strong(free, 1, std::memory_order_acquire,
                                             std::memory_order_relaxed);
}

void SpinLock::lock(int nest, Where where) {
  Task* const self = current();
  if (has_sites(self) &&
      LockChecker::is_left_out(self, this, *class_, Hold::kExclusive, where))
    return;
  sync::step_of(self,
                {&word_, Access::kRmw, std::memory_order_acquire, where, sizeof word_});
  check_magic(where);
  LockChecker::before_lock(self, this, *class_, Hold::kExclusive, nest, where);
  if (self != nullptr) sync::preempt_disable(*self);
  if (!take()) [[unlikely]]
    wait_and_take(self, where);
  LockChecker::after_lock(self, this, *class_, Hold::kExclusive, true, where);
}

void SpinLock::wait_and_take(Task* self, Where where) {
  sync::Contention contention(self, *class_, where);
  while (contention.wait_for_word(&word_, sizeof word_)) {
    if (take()) return;
  }
}

bool SpinLock::try_lock(Where where) {
  Task* const self = current();
  if (has_sites(self) &&
      LockChecker::is_left_out(self, this, *class_, Hold::kExclusive, where)) {
    return true;
  }
  sync::step_of(self,
                {&word_, Access::kRmw, std::memory_order_acquire, where, sizeof word_});
  check_magic(where);
  if (self != nullptr) sync::preempt_disable(*self);
  if (!take()) {
    if (self != nullptr) sync::preempt_enable(*self);
    return false;
  }
  LockChecker::after_lock(self, this, *class_, Hold::kExclusive, true, where);
  return true;
}

void SpinLock::unlock(Where where) {
  Task* const self = current();
  if (has_sites(self) &&
      LockChecker::was_left_out(self, this, *class_, Hold::kExclusive, where))
    return;
  const LetGo let_go(*this, self);
  sync::step_of(
      self, {&word_, Access::kWrite, std::memory_order_release, where, sizeof word_});
  if (is_gone(self, this)) return;
  check_magic(where);
  LockChecker::on_unlock(self, this, *class_, Hold::kExclusive, where);
}

void SpinLock::assert_held(Where where) const {
  LockChecker::assert_held(this, *class_, Hold::kExclusive, where);
}

}  // namespace racier
