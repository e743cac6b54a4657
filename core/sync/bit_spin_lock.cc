// core/sync/bit_spin_lock.cc - takes a bit by fetch-or.
//
// Tested by spin_lock_test.cc.
#include "core/sync/bit_spin_lock.h"

#include "core/sync/bit_word.h"
#include "core/sync/contention.h"
#include "core/sync/context.h"
#include "core/sync/lock_checker.h"

namespace racier {
namespace {

using Word = Atomic<std::uint64_t>;
using Where = std::source_location;

std::uint64_t mask_of(int bit) { return std::uint64_t{1} << bit; }

constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;

Step step_to(Word& word, std::memory_order order, Where where) {
  return {&word, Access::kRmw, order, where, sizeof word};
}

bool take(Task* self, Word& word, int bit, Where where) {
  return sync::set_bits<kAcquire>(self, word, mask_of(bit),
                                  step_to(word, kAcquire, where));
}

// Frees the bit and ends atomic context when it goes out of scope.
class LetGo {
 public:
  LetGo(Word& word, int bit, Task* self, Where where)
      : word_(word), bit_(bit), self_(self), where_(where) {}
  ~LetGo() {
    sync::clear_bits<kRelease>(self_, word_, mask_of(bit_),
                               step_to(word_, kRelease, where_));
    if (self_ != nullptr) sync::preempt_enable(*self_);
  }
  LetGo(const LetGo&) = delete;
  LetGo& operator=(const LetGo&) = delete;

 private:
  Word& word_;
  int bit_;
  Task* self_;
  Where where_;
};

}  // namespace

void bit_spin_lock(Word& word, int bit, const LockClass& lock_class, Where where) {
  Task* const self = current();
  if (LockChecker::is_left_out(self, &word, lock_class, Hold::kExclusive, where)) {
    return;
  }
  sync::step_of(self, step_to(word, kAcquire, where));
  LockChecker::before_lock(self, &word, lock_class, Hold::kExclusive, 0, where);
  if (self != nullptr) sync::preempt_disable(*self);
  if (!take(self, word, bit, where)) [[unlikely]] {
    sync::Contention contention(self, lock_class, where);
    while (contention.wait_for_word(&word, sizeof word) &&
           !take(self, word, bit, where)) {
    }
  }
  LockChecker::after_lock(self, &word, lock_class, Hold::kExclusive, true, where);
}

bool bit_spin_trylock(Word& word, int bit, const LockClass& lock_class, Where where) {
  Task* const self = current();
  if (LockChecker::is_left_out(self, &word, lock_class, Hold::kExclusive, where)) {
    return true;
  }
  sync::step_of(self, step_to(word, kAcquire, where));
  if (self != nullptr) sync::preempt_disable(*self);
  if (!take(self, word, bit, where)) {
    if (self != nullptr) sync::preempt_enable(*self);
    return false;
  }
  LockChecker::after_lock(self, &word, lock_class, Hold::kExclusive, true, where);
  return true;
}

void bit_spin_unlock(Word& word, int bit, const LockClass& lock_class, Where where) {
  Task* const self = current();
  if (LockChecker::was_left_out(self, &word, lock_class, Hold::kExclusive, where)) {
    return;
  }
  const LetGo let_go(word, bit, self, where);
  sync::step_of(self, step_to(word, kRelease, where));
  LockChecker::on_unlock(self, &word, lock_class, Hold::kExclusive, where);
}

}  // namespace racier
