// core/sync/atomic.h - a word that tasks share without a lock.
//
// Each access is a step with its address, its kind and its memory order.  There is no
// other atomic outside of sync/ and runtime/.
#pragma once
#include <atomic>
#include <cstdint>
#include <cstring>
#include <source_location>

#include "core/sync/task.h"
#include "core/sync/tsan.h"

namespace racier {

// An order that belongs to a lock or a count: no site of whoever takes that.
struct OwnOrder {
  std::memory_order order;
};

template <typename T>
class Atomic {
  using Where = std::source_location;
  using Order = std::memory_order;

 public:
  constexpr Atomic() = default;
  constexpr explicit Atomic(T value) : word_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  // An order that is named says that somebody needs it; the usual one, acquire for
  // loads and release for stores, says nothing.  A run may do without either (sites.h).
  T load(Where where = Where::current()) const {
    return load_with<SiteKind::kOrder>(std::memory_order_acquire, where);
  }
  T load(Order order, Where where = Where::current()) const {
    return load_with<SiteKind::kBarrier>(order, where);
  }
  T load(OwnOrder own, Where where) const {
    return load_with<SiteKind::kOrder>(own.order, where);
  }
  void store(T value, OwnOrder own, Where where) {
    store_with<SiteKind::kOrder>(value, own.order, where);
  }
  T fetch_add(T by, OwnOrder own, Where where) {
    return fetch_add_with<SiteKind::kOrder>(by, own.order, where);
  }
  T fetch_sub(T by, OwnOrder own, Where where) {
    return fetch_sub_with<SiteKind::kOrder>(by, own.order, where);
  }
  void store(T value, Where where = Where::current()) {
    store_with<SiteKind::kOrder>(value, std::memory_order_release, where);
  }
  void store(T value, Order order, Where where = Where::current()) {
    store_with<SiteKind::kBarrier>(value, order, where);
  }
  T exchange(T value, Where where = Where::current()) {
    return exchange_with<SiteKind::kOrder>(value, std::memory_order_acq_rel, where);
  }
  T exchange(T value, Order order, Where where = Where::current()) {
    return exchange_with<SiteKind::kBarrier>(value, order, where);
  }
  T fetch_add(T by, Where where = Where::current()) {
    return fetch_add_with<SiteKind::kOrder>(by, std::memory_order_acq_rel, where);
  }
  T fetch_add(T by, Order order, Where where = Where::current()) {
    return fetch_add_with<SiteKind::kBarrier>(by, order, where);
  }
  T fetch_sub(T by, Where where = Where::current()) {
    return fetch_sub_with<SiteKind::kOrder>(by, std::memory_order_acq_rel, where);
  }
  T fetch_sub(T by, Order order, Where where = Where::current()) {
    return fetch_sub_with<SiteKind::kBarrier>(by, order, where);
  }
  T fetch_or(T bits, Where where = Where::current()) {
    return fetch_or_with<SiteKind::kOrder>(bits, std::memory_order_acq_rel, where);
  }
  T fetch_or(T bits, Order order, Where where = Where::current()) {
    return fetch_or_with<SiteKind::kBarrier>(bits, order, where);
  }
  T fetch_and(T bits, Where where = Where::current()) {
    return fetch_and_with<SiteKind::kOrder>(bits, std::memory_order_acq_rel, where);
  }
  T fetch_and(T bits, Order order, Where where = Where::current()) {
    return fetch_and_with<SiteKind::kBarrier>(bits, order, where);
  }
  // Stores `desired` if the word is `expected`, else loads it into `expected`.
  bool compare_exchange(T& expected, T desired, Where where = Where::current()) {
    return compare_exchange_with<SiteKind::kOrder>(expected, desired,
                                                   std::memory_order_acq_rel, where);
  }
  bool compare_exchange(T& expected, T desired, Order order,
                        Where where = Where::current()) {
    return compare_exchange_with<SiteKind::kBarrier>(expected, desired, order, where);
  }

  // Takes a step and waits in it: for a task that found the word unsuitable.
  void wait_until_written(Where where = Where::current()) const {
    step_when_written(
        {this, Access::kRead, std::memory_order_relaxed, where, sizeof(T)});
  }

  // Without a step (but where the lock that makes it needless is left out): the newest
  // value, the caller's own last store included; and a store that is never delayed.
  T peek(Order order = std::memory_order_relaxed) const {
    Task* const self = current();
    if (self != nullptr && self->locks_left_out != 0) [[unlikely]]
      arrive(self, step_to(Access::kRead, order, Where::current()));
    const T newest = word_.load(order);
    if (self == nullptr || self->weak == nullptr) [[likely]]
      return newest;
    return own(*self, step_to(Access::kRead, order, Where::current()), newest);
  }
  void poke(T value, Order order = std::memory_order_relaxed) {
    Task* const self = current();
    if (self != nullptr && self->locks_left_out != 0) [[unlikely]]
      arrive(self, step_to(Access::kWrite, order, Where::current()));
    if (self != nullptr && self->weak != nullptr) [[unlikely]]
      self->weak->before_rmw(*self, step_to(Access::kWrite, order, Where::current()));
    word_.store(value, order);
  }

  // The word itself, without a step and whatever stores of whom are delayed: for what
  // hardware does on its own, for locks' own words, for audits and for set-up.
  std::atomic<T>& raw() { return word_; }
  const std::atomic<T>& raw() const { return word_; }

 private:
  static constexpr Order kRelaxed = std::memory_order_relaxed;

  // Returns whether the run does without the order of an access.
  template <SiteKind kKind>
  static bool drops_order(Order order, const char* what, Where where) {
    return order != kRelaxed && sync::is_left_out(current(), kKind, what, where);
  }

  template <SiteKind kKind>
  T load_with(Order order, Where where) const {
    if (drops_order<kKind>(order, "load", where)) [[unlikely]]
      return load_with<kKind>(kRelaxed, where);
    const Step access = step_to(Access::kRead, order, where);
    Task* const weak = arrive(current(), access);
    const T newest = word_.load(order);
    if (weak != nullptr) [[unlikely]]
      return seen(*weak, access, newest);
    return newest;
  }
  template <SiteKind kKind>
  void store_with(T value, Order order, Where where) {
    if (drops_order<kKind>(order, "store", where)) [[unlikely]]
      return store_with<kKind>(value, kRelaxed, where);
    const Step access = step_to(Access::kWrite, order, where);
    Task* const weak = arrive(current(), access);
    if (weak != nullptr && delayed(*weak, access, value)) [[unlikely]]
      return;
    word_.store(value, order);
  }
  template <SiteKind kKind>
  T exchange_with(T value, Order order, Where where) {
    if (drops_order<kKind>(order, "exchange", where)) [[unlikely]]
      return unordered<Change::kSet>(value, where);
    arrive_at_rmw(order, where);
    return word_.exchange(value, order);
  }
  template <SiteKind kKind>
  T fetch_add_with(T by, Order order, Where where) {
    if (drops_order<kKind>(order, "fetch_add", where)) [[unlikely]]
      return unordered<Change::kAdd>(by, where);
    arrive_at_rmw(order, where);
    return word_.fetch_add(by, order);
  }
  template <SiteKind kKind>
  T fetch_sub_with(T by, Order order, Where where) {
    if (drops_order<kKind>(order, "fetch_sub", where)) [[unlikely]]
      return unordered<Change::kAdd>(static_cast<T>(T{} - by), where);
    arrive_at_rmw(order, where);
    return word_.fetch_sub(by, order);
  }
  template <SiteKind kKind>
  T fetch_or_with(T bits, Order order, Where where) {
    if (drops_order<kKind>(order, "fetch_or", where)) [[unlikely]]
      return unordered<Change::kOr>(bits, where);
    arrive_at_rmw(order, where);
    return word_.fetch_or(bits, order);
  }
  template <SiteKind kKind>
  T fetch_and_with(T bits, Order order, Where where) {
    if (drops_order<kKind>(order, "fetch_and", where)) [[unlikely]]
      return unordered<Change::kAnd>(bits, where);
    arrive_at_rmw(order, where);
    return word_.fetch_and(bits, order);
  }
  template <SiteKind kKind>
  bool compare_exchange_with(T& expected, T desired, Order order, Where where) {
    if (drops_order<kKind>(order, "compare_exchange", where)) [[unlikely]]
      return compare_exchange_with<kKind>(expected, desired, kRelaxed, where);
    const Step access = step_to(Access::kRmw, order, where);
    Task* const weak = arrive(current(), access);
    if (weak != nullptr && differs(*weak, access, expected)) [[unlikely]]
      return false;
    return word_.compare_exchange_strong(expected, desired, order, failure_of(order));
  }

  Step step_to(Access access, Order order, Where where) const {
    return {this, access, order, where, sizeof(T)};
  }
  void arrive_at_rmw(Order order, Where where) {
    const Step access = step_to(Access::kRmw, order, where);
    Task* const weak = arrive(current(), access);
    if (weak != nullptr) [[unlikely]]
      weak->weak->before_rmw(*weak, access);
  }

  // A read-modify-write without the order that the code asks for: it may be late, too.
  template <Change kChange>
  [[gnu::noinline]] T unordered(T operand, Where where) {
    const Step access = step_to(Access::kRmw, kRelaxed, where);
    Task* const weak = arrive(current(), access);
    const std::uint32_t due =
        weak == nullptr ? 0 : weak->weak->rmw_is_late(*weak, access);
    if (due != 0) {
      const T before = word_.load(kRelaxed);
      weak->weak->late(*weak, access, kChange, bits_of(operand), due);
      return before;
    }
    if constexpr (kChange == Change::kSet) return word_.exchange(operand, kRelaxed);
    if constexpr (kChange == Change::kAdd) return word_.fetch_add(operand, kRelaxed);
    if constexpr (kChange == Change::kOr) return word_.fetch_or(operand, kRelaxed);
    if constexpr (kChange == Change::kAnd) return word_.fetch_and(operand, kRelaxed);
  }

  // Slow paths.  ThreadSanitizer is told of a delayed store when it is issued, and each
  // load synchronizes with all that were: it may miss an edge that is not there, and
  // never reports one that is.
  [[gnu::noinline]] static T seen(Task& self, const Step& access, T newest) {
    return value_of(self.weak->load(self, access, bits_of(newest)));
  }
  [[gnu::noinline]] static T own(Task& self, const Step& access, T newest) {
    return value_of(self.weak->peek(self, access, bits_of(newest)));
  }
  // A compare_exchange() that fails is no more than a load, of the newest value.
  [[gnu::noinline]] bool differs(Task& self, const Step& access, T& expected) {
    const Order order = failure_of(access.order);
    const T newest =
        own(self, step_to(Access::kRead, std::memory_order_relaxed, access.where),
            word_.load(std::memory_order_relaxed));
    if (bits_of(newest) == bits_of(expected)) {
      self.weak->before_rmw(self, access);
      return false;
    }
    expected =
        own(self, step_to(Access::kRead, order, access.where), word_.load(order));
    return true;
  }
  [[gnu::noinline]] bool delayed(Task& self, const Step& access, T value) {
    if (!self.weak->delay(self, access, bits_of(value))) return false;
    if (access.order != std::memory_order_relaxed) sync::tsan::release(&word_);
    return true;
  }
  static std::uint64_t bits_of(T value) {
    static_assert(sizeof(T) <= sizeof(std::uint64_t));
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
  }
  static T value_of(std::uint64_t bits) {
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  static constexpr Order failure_of(Order order) {
    if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
    if (order == std::memory_order_release) return std::memory_order_relaxed;
    return order;
  }
  std::atomic<T> word_{};
};

// Orders the caller's relaxed accesses before it against those after it.  Not a step.
// ThreadSanitizer does not know fences: they help between atomics, not for plain data.
// Kernel: smp_mb(), smp_rmb(), smp_wmb().
inline void fence(std::memory_order order,
                  std::source_location where = std::source_location::current()) {
  Task* const self = current();
  if (sync::is_left_out(self, SiteKind::kBarrier, "fence", where)) [[unlikely]]
    return;
  std::atomic_thread_fence(order);
  if (self != nullptr && self->weak != nullptr) [[unlikely]]
    self->weak->fence(*self, order, where);
}

}  // namespace racier
