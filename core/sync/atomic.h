// core/sync/atomic.h - a word that tasks share without a lock.
//
// Each access is a step with its address, its kind and its memory order.  There is no
// other atomic outside of sync/ and runtime/.
#pragma once
#include <atomic>
#include <source_location>

#include "core/sync/task.h"

namespace racier {

template <typename T>
class Atomic {
  using Where = std::source_location;
  using Order = std::memory_order;

 public:
  constexpr Atomic() = default;
  constexpr explicit Atomic(T value) : word_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(Order order = std::memory_order_acquire,
         Where where = Where::current()) const {
    step({this, Access::kRead, order, where});
    return word_.load(order);
  }
  void store(T value, Order order = std::memory_order_release,
             Where where = Where::current()) {
    step({this, Access::kWrite, order, where});
    word_.store(value, order);
  }
  T exchange(T value, Order order = std::memory_order_acq_rel,
             Where where = Where::current()) {
    step({this, Access::kRmw, order, where});
    return word_.exchange(value, order);
  }
  // Stores `desired` if the word is `expected`, else loads it into `expected`.
  bool compare_exchange(T& expected, T desired, Order order = std::memory_order_acq_rel,
                        Where where = Where::current()) {
    step({this, Access::kRmw, order, where});
    return word_.compare_exchange_strong(expected, desired, order, failure_of(order));
  }
  T fetch_add(T by, Order order = std::memory_order_acq_rel,
              Where where = Where::current()) {
    step({this, Access::kRmw, order, where});
    return word_.fetch_add(by, order);
  }
  T fetch_sub(T by, Order order = std::memory_order_acq_rel,
              Where where = Where::current()) {
    step({this, Access::kRmw, order, where});
    return word_.fetch_sub(by, order);
  }
  T fetch_or(T bits, Order order = std::memory_order_acq_rel,
             Where where = Where::current()) {
    step({this, Access::kRmw, order, where});
    return word_.fetch_or(bits, order);
  }
  T fetch_and(T bits, Order order = std::memory_order_acq_rel,
              Where where = Where::current()) {
    step({this, Access::kRmw, order, where});
    return word_.fetch_and(bits, order);
  }

  // Takes a step and waits in it: for a task that found the word unsuitable.
  void wait_until_written(Where where = Where::current()) const {
    step_when_written(
        {this, Access::kRead, std::memory_order_relaxed, where, sizeof(T)});
  }

  // The word itself, without a step: for what hardware does on its own, for locks' own
  // slow paths, for audits and for set-up.
  std::atomic<T>& raw() { return word_; }
  const std::atomic<T>& raw() const { return word_; }

 private:
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
inline void fence(std::memory_order order) { std::atomic_thread_fence(order); }

}  // namespace racier
