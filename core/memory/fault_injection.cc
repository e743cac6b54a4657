// core/memory/fault_injection.cc - counts allocations.  Tested by frame_arena_test.cc
// and slab_test.cc.
#include "core/memory/fault_injection.h"

#include "core/sync/task.h"

namespace racier {

bool should_fail() {
  Task* const self = current();
  if (self == nullptr || self->fail_nth == 0) return false;
  return --self->fail_nth == 0;
}

}  // namespace racier
