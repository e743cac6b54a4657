// core/runtime/plain_steps.cc - steps in front of plain loads and stores.
//
// A translation unit that is compiled with -fsanitize-coverage=trace-loads,trace-stores
// calls a function before each load and store.  An access to the run's region (page
// tables, frames, objects) becomes a step; what else there is, stacks and the harness,
// is nobody's but the task's.  Such a step does not throw: it may be anywhere, in a
// destructor or where the compiler relies on nothing being thrown.  A task that has to
// leave its run does so at its next step that may.  They are taken in runs whose
// schedule counts them (Schedule::plain_steps).
//
// Tested by plain_steps_test.cc.
#include "core/runtime/plain_steps.h"

#include <cstring>

#include "core/base/require.h"
#include "core/runtime/fiber_runtime.h"
#include "core/sync/task.h"

extern "C" [[gnu::weak]] void __sanitizer_symbolize_pc(void* pc, const char* format,
                                                       char* text, std::size_t size);

namespace racier {
namespace {

constexpr int kPlainAccessesOfLeaversMax = 1 << 26;

void plain_access(const void* address, Access access, std::uint8_t size,
                  const void* pc) {
  Task* const self = current();
  if (self == nullptr || self->steps_off != 0 || self->plain_steps_off != 0) return;
  // The access that a step has just announced.
  if (self->announced == address) return;
  const LiveMap* const region = self->run->live;
  if (region == nullptr || region->offset_of(address) < 0) return;
  Step step{address, access, std::memory_order_relaxed, {}, size};
  step.pc = pc;
  self->runtime->plain_step(*self, step);
}

}  // namespace

std::string describe_pc(const void* pc) {
  if (__sanitizer_symbolize_pc == nullptr) return "plain access";
  char text[512];
  auto* const call = static_cast<char*>(const_cast<void*>(pc)) - 1;
  __sanitizer_symbolize_pc(call, "%s:%l %f", text, sizeof text);
  return text;
}

// Like step(), but it throws nothing, and it is not asked whether the word is alive:
// that is the sanitizer's business.
void FiberRuntime::plain_step(Task& self, const Step& where) {
  if (!plain_steps_ || exceptions_.any()) return;
  if (run_->over() || reports_->pending()) {
    // It goes on to a step that may throw, but perhaps in a loop that has none.
    require(++plain_accesses_of_leavers_ < kPlainAccessesOfLeaversMax,
            "a task whose run is over comes to a step that is not plain");
    return;
  }
  if (steps_ >= steps_max_) {
    Finding finding;
    finding.kind = FindingKind::kNoProgress;
    finding.title = "BUG: soft lockup: no progress";
    finding.detail = "more than " + std::to_string(steps_max_) +
                     " steps, the last in " + describe_pc(where.pc);
    run_->record(std::move(finding));
    return;
  }
  scene_.pending[self.id] = &where;
  const int next = decide(self);
  if (next != self.id) {
    set_current(&tasks_[next]);
    pool_->fiber(self.id).switch_to(pool_->fiber(next));
    if (run_->over()) return;
  }
  took_plain_steps_ = true;
  account(self, where);
  self.announced = nullptr;
}

}  // namespace racier

// ---- What the compiler calls
// ----------------------------------------------------------

#define RACIER_TRACED(size, type)                          \
  void __sanitizer_cov_load##size(type* at);               \
  void __sanitizer_cov_load##size(type* at) {              \
    racier::plain_access(at, racier::Access::kRead, size,  \
                         __builtin_return_address(0));     \
  }                                                        \
  void __sanitizer_cov_store##size(type* at);              \
  void __sanitizer_cov_store##size(type* at) {             \
    racier::plain_access(at, racier::Access::kWrite, size, \
                         __builtin_return_address(0));     \
  }

extern "C" {
RACIER_TRACED(1, std::uint8_t)
RACIER_TRACED(2, std::uint16_t)
RACIER_TRACED(4, std::uint32_t)
RACIER_TRACED(8, std::uint64_t)
RACIER_TRACED(16, __uint128_t)
}  // extern "C"

#undef RACIER_TRACED
