// core/sync/rw_semaphore.cc - one word for the fast paths, a list of sleepers for the
// others.
//
// Who finds the word free of writers (and of readers) and of waiters takes it by one
// compare-and-swap.  Everybody else joins the list, and is let in: whoever lets go of
// the lock last takes it on behalf of the first sleeper, and of the readers right
// behind it. So nobody overtakes, and a writer does not starve. Kernel:
// kernel/locking/rwsem.c, with the hand-off always on and no optimistic spinning.
//
// Happens-before.  All pass through one word, so by the C++ rules a reader that leaves
// comes before a reader that enters later, and ThreadSanitizer would report two readers
// that write the same datum only in some schedules.  But nothing may rely on that
// order: so what a reader releases is hidden in the word, and told to writers by an
// edge of their own.
//
// Tested by rw_semaphore_test.cc (Mutex, too).
#include "core/sync/rw_semaphore.h"

#include <array>
#include <string>

#include "core/sync/contention.h"
#include "core/sync/context.h"
#include "core/sync/lock_checker.h"
#include "core/sync/tsan.h"

namespace racier {
namespace {

// Returns whether the run of `self` does without anything: if not, nothing of a lock is
// touched to ask for it.
bool has_sites(const Task* self) { return self != nullptr && self->sites != nullptr; }

}  // namespace

// A task that waits.  Lives on its stack.
struct RwSemaphore::Sleeper : ListNode {
  Task* task;
  Hold hold;
  std::atomic<bool> let_in{
      false};  // the lock is its; set as the last that a waker does to it
};

// One task's stay on the list; it leaves at the end of the scope, even by an exception,
// and then without the lock.
class RwSemaphore::Stay {
 public:
  Stay(RwSemaphore& lock, Task* self, Hold hold) : lock_(lock) {
    sleeper_.task = self;
    sleeper_.hold = hold;
  }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;
  ~Stay() {
    if (!let_in()) leave();
    if (let_in() && !keeps_) lock_.let_go(sleeper_.hold);
  }

  // Acquire: pairs with the release of the waker, who had all that was done under the
  // lock.
  bool let_in() const { return sleeper_.let_in.load(std::memory_order_acquire); }

  // From now on the lock is the caller's to let go of.
  void keep() { keeps_ = true; }

  // Takes the lock if that is possible by now, else joins the list.
  void join() {
    const InterlockGuard guard(lock_.wait_lock_);
    if (!lock_.waiters_.empty() || !take_or_announce()) {
      lock_.waiters_.add_before(sleeper_);
    } else {
      sleeper_.let_in.store(true, std::memory_order_relaxed);
    }
  }

 private:
  // Takes the lock, or sets kWaiters.
  bool take_or_announce() {
    std::atomic<std::uint64_t>& word = lock_.count_.raw();
    while (!lock_.take(sleeper_.hold)) {
      std::uint64_t count = word.load(std::memory_order_relaxed);
      const std::uint64_t others =
          sleeper_.hold == Hold::kShared ? kWriter : kWriter | kReaders;
      if ((count & others) != 0 &&
          word.compare_exchange_strong(count, count | kWaiters,
                                       std::memory_order_relaxed)) {
        return false;
      }
    }
    return true;
  }

  void leave() {
    const InterlockGuard guard(lock_.wait_lock_);
    if (let_in()) return;
    sleeper_.unlink();
    if (lock_.waiters_.empty()) {
      lock_.count_.raw().fetch_and(~kWaiters, std::memory_order_relaxed);
    }
  }

  RwSemaphore& lock_;
  Sleeper sleeper_;
  bool keeps_ = false;
};

RwSemaphore::~RwSemaphore() {
  RunState* const run = current_run();
  if (!is_locked() || run == nullptr || run->over()) [[likely]]
    return;
  Finding finding;
  finding.kind = FindingKind::kLockUse;
  finding.title = std::string("BUG: held lock freed: ") + class_->name;
  run->record(std::move(finding));
}

// Acquire: pairs with the release of let_go().
bool RwSemaphore::take(Hold hold) {
  const std::uint64_t in_the_way =
      hold == Hold::kShared ? kWriter | kWaiters : kWriter | kWaiters | kReaders;
  const std::uint64_t change = hold == Hold::kShared ? kReader : kWriter;
  std::uint64_t count = count_.raw().load(std::memory_order_relaxed);
  while ((count & in_the_way) == 0) {
    if (count_.raw().compare_exchange_weak(count, count + change,
                                           std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

void RwSemaphore::down(Hold hold, int nest, Where where) {
  Task* const self = current();
  if (has_sites(self) && LockChecker::is_left_out(self, this, *class_, hold, where))
    return;
  might_sleep(where);
  sync::step_of(
      self, {&count_, Access::kRmw, std::memory_order_acquire, where, sizeof count_});
  LockChecker::before_lock(self, this, *class_, hold, nest, where);
  if (!take(hold)) [[unlikely]] {
    sync::Contention contention(self, *class_, where);
    Stay stay(*this, self, hold);
    stay.join();
    while (!stay.let_in() && contention.sleep()) {
    }
    // Whoever let us in has then let go of wait_lock_: from here on nobody who had the
    // lock before touches it, and it may be freed once nobody else can find it.
    { const InterlockGuard waker_is_done(wait_lock_); }
    stay.keep();
  }
  after_readers(hold);
  LockChecker::after_lock(self, this, *class_, hold, false, where);
}

bool RwSemaphore::try_down(Hold hold, Where where) {
  Task* const self = current();
  if (has_sites(self) && LockChecker::is_left_out(self, this, *class_, hold, where))
    return true;
  sync::step_of(
      self, {&count_, Access::kRmw, std::memory_order_acquire, where, sizeof count_});
  if (!take(hold)) return false;
  after_readers(hold);
  LockChecker::after_lock(self, this, *class_, hold, false, where);
  return true;
}

// Takes its hold off the word when it goes out of scope.
class RwSemaphore::LetGo {
 public:
  LetGo(RwSemaphore& lock, Hold hold) : lock_(lock), hold_(hold) {}
  ~LetGo() { lock_.let_go(hold_); }
  LetGo(const LetGo&) = delete;
  LetGo& operator=(const LetGo&) = delete;

 private:
  RwSemaphore& lock_;
  Hold hold_;
};

void RwSemaphore::up(Hold hold, Where where) {
  Task* const self = current();
  if (has_sites(self) && LockChecker::was_left_out(self, this, *class_, hold, where))
    return;
  const LetGo let_go(*this, hold);
  sync::step_of(
      self, {&count_, Access::kRmw, std::memory_order_release, where, sizeof count_});
  LockChecker::on_unlock(self, this, *class_, hold, where);
}

// What all readers before did happens before what the new holder does, if it is a
// writer.
void RwSemaphore::after_readers(Hold hold) {
  if (hold == Hold::kExclusive) sync::tsan::acquire(&class_);
}

std::uint64_t RwSemaphore::leave_as_reader() {
  sync::tsan::release(&class_);
  const sync::tsan::IgnoreSync hidden;
  return count_.raw().fetch_sub(kReader, std::memory_order_release) - kReader;
}

void RwSemaphore::let_go(Hold hold) {
  const std::uint64_t left =
      hold == Hold::kShared
          ? leave_as_reader()
          : count_.raw().fetch_sub(kWriter, std::memory_order_release) - kWriter;
  if ((left & kWaiters) != 0 && (left & (kWriter | kReaders)) == 0) [[unlikely]] {
    let_waiters_in();
  }
}

// Lets the first sleeper in, if the holders allow it, and the readers behind a reader.
void RwSemaphore::let_waiters_in() {
  std::array<Task*, kTasksMax> woken;
  std::size_t woken_count = 0;
  {
    const InterlockGuard guard(wait_lock_);
    while (!waiters_.empty() && woken_count < woken.size()) {
      Sleeper& first = static_cast<Sleeper&>(*waiters_.next);
      const bool last = first.next == &waiters_;
      const std::uint64_t in_the_way =
          first.hold == Hold::kShared ? kWriter : kWriter | kReaders;
      const std::uint64_t change =
          (first.hold == Hold::kShared ? kReader : kWriter) - (last ? kWaiters : 0);
      std::uint64_t count = count_.raw().load(std::memory_order_relaxed);
      // Acquire: what all holders before did, which the sleeper gets through let_in.
      while ((count & in_the_way) == 0 &&
             !count_.raw().compare_exchange_weak(count, count + change,
                                                 std::memory_order_acquire,
                                                 std::memory_order_relaxed)) {
      }
      if ((count & in_the_way) != 0) break;
      woken[woken_count++] = first.task;
      first.unlink();
      first.let_in.store(true, std::memory_order_release);  // `first` may be gone now
    }
  }
  for (std::size_t i = 0; i < woken_count; ++i) woken[i]->runtime->unpark(*woken[i]);
}

void RwSemaphore::down_read(int nest, Where where) { down(Hold::kShared, nest, where); }
void RwSemaphore::down_write(int nest, Where where) {
  down(Hold::kExclusive, nest, where);
}
bool RwSemaphore::down_read_trylock(Where where) {
  return try_down(Hold::kShared, where);
}
bool RwSemaphore::down_write_trylock(Where where) {
  return try_down(Hold::kExclusive, where);
}
void RwSemaphore::up_read(Where where) { up(Hold::kShared, where); }
void RwSemaphore::up_write(Where where) { up(Hold::kExclusive, where); }

void RwSemaphore::downgrade_write(Where where) {
  Task* const self = current();
  if (LockChecker::does_without(self, this)) {
    LockChecker::on_downgrade(self, this, *class_, where);
    return;
  }
  sync::step_of(
      self, {&count_, Access::kRmw, std::memory_order_release, where, sizeof count_});
  LockChecker::on_downgrade(self, this, *class_, where);
  const std::uint64_t before =
      count_.raw().fetch_add(kReader - kWriter, std::memory_order_release);
  if ((before & kWaiters) != 0) let_waiters_in();
}

void RwSemaphore::assert_held(Where where) const {
  LockChecker::assert_held(this, *class_, Hold::kExclusive, where);
}
void RwSemaphore::assert_held_shared(Where where) const {
  LockChecker::assert_held(this, *class_, Hold::kShared, where);
}

}  // namespace racier
