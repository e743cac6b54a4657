// core/sync/bit_spin_lock.cc - takes a bit by fetch-or.
//
// Tested by spin_lock_test.cc.
#include "core/sync/bit_spin_lock.h"

#include "core/sync/contention.h"
#include "core/sync/context.h"
#include "core/sync/lock_checker.h"

namespace racier {
namespace {

using Word = Atomic<std::uint64_t>;
using Where = std::source_location;

std::uint64_t mask_of(int bit) { return std::uint64_t{1} << bit; }

bool take(Word& word, int bit) {
  return (word.raw().fetch_or(mask_of(bit), std::memory_order_acquire) &
          mask_of(bit)) == 0;
}

Step step_to_take(Word& word, Where where) {
  return {&word, Access::kRmw, std::memory_order_acquire, where, sizeof word};
}

// Frees the bit and ends atomic context when it goes out of scope.
class LetGo {
 public:
  LetGo(Word& word, int bit, Task* self) : word_(word), bit_(bit), self_(self) {}
  ~LetGo() {
    word_.raw().fetch_and(~mask_of(bit_), std::memory_order_release);
    if (self_ != nullptr) sync::preempt_enable(*self_);
  }
  LetGo(const LetGo&) = delete;
  LetGo& operator=(const LetGo&) = delete;

 private:
  Word& word_;
  int bit_;
  Task* self_;
};

}  // namespace

void bit_spin_lock(Word& word, int bit, const LockClass& lock_class, Where where) {
  Task* const self = current();
  sync::step_of(self, step_to_take(word, where));
  LockChecker::before_lock(self, &word, lock_class, Hold::kExclusive, 0, where);
  if (self != nullptr) sync::preempt_disable(*self);
  if (!take(word, bit)) [[unlikely]] {
    sync::Contention contention(self, lock_class, where);
    while (contention.wait_for_word(&word, sizeof word) && !take(word, bit)) {
    }
  }
  LockChecker::after_lock(self, &word, lock_class, Hold::kExclusive, true, where);
}

bool bit_spin_trylock(Word& word, int bit, const LockClass& lock_class, Where where) {
  Task* const self = current();
  sync::step_of(self, step_to_take(word, where));
  if (self != nullptr) sync::preempt_disable(*self);
  if (!take(word, bit)) {
    if (self != nullptr) sync::preempt_enable(*self);
    return false;
  }
  LockChecker::after_lock(self, &word, lock_class, Hold::kExclusive, true, where);
  return true;
}

void bit_spin_unlock(Word& word, int bit, const LockClass& lock_class, Where where) {
  Task* const self = current();
  const LetGo let_go(word, bit, self);
  sync::step_of(self,
                {&word, Access::kRmw, std::memory_order_release, where, sizeof word});
  LockChecker::on_unlock(self, &word, lock_class, Hold::kExclusive, where);
}

}  // namespace racier
