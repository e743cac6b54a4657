// core/sync/srcu.h - read-copy-update whose readers may sleep.
//
// Readers count themselves under one of two numbers; who waits for them turns the
// number over, and waits until nobody is counted under the old one.
//
// Kernel: kernel/srcu.c, v2.6.19 (McKenney), with one counter for all CPUs.
#pragma once
#include <array>
#include <cstdint>
#include <source_location>

#include "core/sync/atomic.h"
#include "core/sync/mutex.h"
#include "core/sync/wait_queue.h"

namespace racier {

// One domain: its sections and grace periods have nothing to do with any other's.
class Srcu {
  using Where = std::source_location;

 public:
  Srcu(const LockClass& mutex_class, const LockClass& wait_class)
      : mutex_(mutex_class), idle_(wait_class) {}
  Srcu(const Srcu&) = delete;
  Srcu& operator=(const Srcu&) = delete;

  // Opens a read section, and returns what read_unlock() wants back.  They nest.
  // Context: any; the section may sleep.  Kernel: srcu_read_lock().
  [[nodiscard]] int read_lock(Where where = Where::current());
  void read_unlock(int number, Where where = Where::current());

  // Sleeps until every read section that is open now has been closed.
  // Context: may sleep; not in a read section.  Kernel: synchronize_srcu().
  void synchronize(Where where = Where::current());

 private:
  void wait_for_readers(std::uint32_t number, Where where);

  Mutex mutex_;  // of who waits: one grace period at a time
  WaitQueue idle_;
  Atomic<std::uint32_t> number_{0};  // its last bit is where new readers count
  std::array<Atomic<std::int32_t>, 2> readers_{};
};

// Keeps a read section open for a scope.
class SrcuReadGuard {
  using Where = std::source_location;

 public:
  explicit SrcuReadGuard(Srcu& srcu, Where where = Where::current())
      : srcu_(srcu), number_(srcu.read_lock(where)), where_(where) {}
  ~SrcuReadGuard() noexcept(false) { srcu_.read_unlock(number_, where_); }
  SrcuReadGuard(const SrcuReadGuard&) = delete;
  SrcuReadGuard& operator=(const SrcuReadGuard&) = delete;

 private:
  Srcu& srcu_;
  const int number_;
  const Where where_;
};

}  // namespace racier
