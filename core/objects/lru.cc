// core/objects/lru.cc - empty LRU lists.
// Tested by machine_test.cc.
#include "core/objects/lru.h"

#include <memory>

namespace racier {

// No task is running, so no lock is needed.
void Lru::reset() NO_THREAD_SAFETY_ANALYSIS {
  std::construct_at(&lru_lock, lock_class::kLruLock);
  active.reset();
  inactive.reset();
  nr_active = nr_inactive = 0;
}

}  // namespace racier
