// core/sync/ref_count.h - a reference count that cannot rise from the dead.
#pragma once
#include <cstdint>
#include <source_location>

#include "core/sync/atomic.h"

namespace racier {

// Kernel: refcount_t.  Never rises from zero, never falls below it, never overflows:
// each of these is a finding.
class RefCount {
  using Where = std::source_location;

 public:
  explicit RefCount(std::int32_t value) : count_(value) {}

  // Takes one more reference.  The caller owns one already.
  void inc(Where where = Where::current());
  // Takes a reference unless there is none left to share.  Orders nothing, like the
  // kernel's; whoever finds the object by a memory that may have become another
  // object's needs acquire. Kernel: refcount_inc_not_zero(),
  // refcount_inc_not_zero_acquire().
  [[nodiscard]] bool inc_not_zero(Where where = Where::current());
  [[nodiscard]] bool inc_not_zero_acquire(Where where = Where::current());
  // Drops one; returns whether it was the last, in which case everything that other
  // droppers did before is visible to the caller.
  [[nodiscard]] bool dec_and_test(Where where = Where::current());

  // Returns the count; no step.
  std::int32_t read() const {
    note_side_effects();
    return count_.peek();
  }
  // Sets it: for an object that nobody else can see.  Release: pairs with
  // inc_not_zero_acquire() on a memory that others still look at.
  void set(std::int32_t value);

 private:
  bool inc_unless_zero(std::memory_order order, Where where);

  Atomic<std::int32_t> count_;
};

}  // namespace racier
