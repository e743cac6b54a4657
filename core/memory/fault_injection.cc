// core/memory/fault_injection.cc - counts allocations.  Tested by frame_arena_test.cc,
// slab_test.cc and fault_injection_test.cc.
#include "core/memory/fault_injection.h"

#include <exception>

namespace racier {
namespace {

// One in eight where chance chooses, and four ways to go where all are tried.
bool chosen_to_fail(const Task& self) {
  if (self.steps_off > 0 || std::uncaught_exceptions() > 0) return false;
  return choose(2) == 1 && choose(2) == 1 && choose(2) == 1;
}

}  // namespace

bool should_fail() {
  Task* const self = current();
  if (self == nullptr) return false;
  const bool named = self->fail_nth != 0 && --self->fail_nth == 0;
  AllocFailures* const failures = self->run->alloc_failures;
  const bool struck = failures != nullptr && failures->strikes(*self);
  if (!named && !struck) [[likely]]
    return false;
  ++self->failures_injected;
  return true;
}

void AllocFailures::begin(const FailAlloc& fail, bool chosen) {
  fail_ = fail;
  chosen_ = chosen;
  asked_.raw().store(0, std::memory_order_relaxed);
  at_.fill({});
  struck_.reset();
}

void AllocFailures::begin_call(int task, std::uint32_t call) {
  at_[static_cast<std::size_t>(task)] = {call, 0};
}

bool AllocFailures::strikes(const Task& self) {
  Place& place = at_[static_cast<std::size_t>(self.id)];
  ++place.nth;
  const std::uint32_t number = asked_.raw().fetch_add(1, std::memory_order_relaxed) + 1;
  if (fail_.nth == 0) return chosen_ && chosen_to_fail(self);
  note_side_effects();  // whose allocation is the nth is for all tasks to decide
  if (number == fail_.nth) struck_ = place;
  const bool fails = fail_.onwards ? number >= fail_.nth : number == fail_.nth;
  return fails || (chosen_ && chosen_to_fail(self));
}

}  // namespace racier
