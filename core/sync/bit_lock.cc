// core/sync/bit_lock.cc - PG_locked: taken by fetch-or, waited for on a shared queue.
//
// Letting go clears the bit and looks at the queue; waiting joins the queue and tries
// the bit.  All four are sequentially consistent, so one side sees the other. Kernel:
// wait_bit.c; not a handover: who comes in between takes the lock.
//
// Tested by bit_lock_test.cc.
#include "core/sync/bit_lock.h"

#include "core/sync/bit_word.h"
#include "core/sync/contention.h"
#include "core/sync/context.h"
#include "core/sync/lock_checker.h"

namespace racier {
namespace {

using Word = Atomic<std::uint64_t>;
using Where = std::source_location;

std::uint64_t mask_of(int bit) { return std::uint64_t{1} << bit; }

constexpr auto kSeqCst = std::memory_order_seq_cst;

Step step_to(Word& word, Where where) {
  return {&word, Access::kRmw, kSeqCst, where, sizeof word};
}

bool take(Word& word, int bit, Where where) {
  Task* const self = current();
  sync::step_of(self, step_to(word, where));
  return sync::set_bits<kSeqCst>(self, word, mask_of(bit), step_to(word, where));
}

// Clears the bit when it goes out of scope.
class LetGo {
 public:
  LetGo(Task* self, Word& word, int bit, Where where)
      : self_(self), word_(word), bit_(bit), where_(where) {}
  ~LetGo() {
    sync::clear_bits<kSeqCst>(self_, word_, mask_of(bit_), step_to(word_, where_));
  }
  LetGo(const LetGo&) = delete;
  LetGo& operator=(const LetGo&) = delete;

 private:
  Task* self_;
  Word& word_;
  int bit_;
  Where where_;
};

void let_go(Task* self, Word& word, int bit, const LockClass& lock_class, Where where) {
  const LetGo let_go(self, word, bit, where);
  sync::step_of(self, step_to(word, where));
  LockChecker::on_unlock(self, &word, lock_class, Hold::kExclusive, where);
}

}  // namespace

void bit_lock(Word& word, int bit, WaitQueue& queue, const LockClass& lock_class,
              Where where) {
  Task* const self = current();
  if (LockChecker::is_left_out(self, &word, lock_class, Hold::kExclusive, where)) {
    return;
  }
  might_sleep(where);
  LockChecker::before_lock(self, &word, lock_class, Hold::kExclusive, 0, where);
  if (!take(word, bit, where)) [[unlikely]] {
    if (self == nullptr) sync::held_at_rest(lock_class, where);
    // The queue has a lock of its own; what the task wants while it sleeps is this one.
    const auto take_or_want = [&] {
      if (take(word, bit, where)) return true;
      self->wanted = {&word, &lock_class};
      return false;
    };
    queue.wait_exclusive(take_or_want, where, {&word, bit});
  }
  LockChecker::after_lock(self, &word, lock_class, Hold::kExclusive, false, where);
}

bool bit_trylock(Word& word, int bit, const LockClass& lock_class, Where where) {
  Task* const self = current();
  if (LockChecker::is_left_out(self, &word, lock_class, Hold::kExclusive, where)) {
    return true;
  }
  if (!take(word, bit, where)) return false;
  LockChecker::after_lock(self, &word, lock_class, Hold::kExclusive, false, where);
  return true;
}

void bit_unlock(Word& word, int bit, WaitQueue& queue, const LockClass& lock_class,
                Where where) {
  Task* const self = current();
  if (LockChecker::was_left_out(self, &word, lock_class, Hold::kExclusive, where)) {
    return;
  }
  let_go(self, word, bit, lock_class, where);
  if (queue.active_raw()) queue.wake(1, where, {&word, bit});
}

void bit_wait(Word& word, int bit, WaitQueue& queue, Where where) {
  const auto is_clear = [&] {
    return (word.load(OwnOrder{kSeqCst}, where) & mask_of(bit)) == 0;
  };
  queue.wait(is_clear, where, {&word, bit});
}

}  // namespace racier
