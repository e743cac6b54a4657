// core/sync/contention.cc - the wait that cannot end.
#include "core/sync/contention.h"

#include <string>

#include "core/base/finding.h"

namespace racier::sync {

void held_at_rest(const LockClass& lock_class, std::source_location where) {
  report(FindingKind::kLockUse,
         std::string("BUG: lock is held although no task runs: ") + lock_class.name, "",
         where);
}

}  // namespace racier::sync
