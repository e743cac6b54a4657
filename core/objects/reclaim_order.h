// core/objects/reclaim_order.h - reclaim, in the eyes of the lock checker.
//
// An allocation that may reclaim may come to take every lock that reclaim takes,
// whether it does this time or not.  So reclaim counts as a lock, "fs_reclaim": such an
// allocation takes it and lets go of it, and what reclaims holds it.  Whoever allocates
// under a lock that a reverse-map walk needs closes a cycle then, with plenty of
// memory.
#pragma once
#include "core/objects/lock_classes.h"

namespace racier {

// Says that the caller allocates here, and may reclaim, unless it does already.
// Kernel: might_alloc().
inline void might_reclaim(
    std::source_location where = std::source_location::current()) {
  const Task* const self = current();
  if (self == nullptr || self->memalloc) return;
  lock_map_acquire(lock_class::kFsReclaim, where);
  lock_map_release(lock_class::kFsReclaim, where);
}

// The caller reclaims, for a scope.  Kernel: fs_reclaim_acquire().
class InReclaim {
 public:
  explicit InReclaim(std::source_location where = std::source_location::current())
      : where_(where) {
    lock_map_acquire(lock_class::kFsReclaim, where);
  }
  ~InReclaim() noexcept(false) { lock_map_release(lock_class::kFsReclaim, where_); }
  InReclaim(const InReclaim&) = delete;
  InReclaim& operator=(const InReclaim&) = delete;

 private:
  std::source_location where_;
};

}  // namespace racier
