// core/runtime/fiber_findings.cc - what the fiber runtime itself finds.
//
// Tested by fiber_runtime_test.cc.
#include "core/base/source_name.h"
#include "core/runtime/describe.h"
#include "core/runtime/fiber_runtime.h"

namespace racier {

void FiberRuntime::use_after_free(const Step& step) {
  if (observer_ != nullptr) observer_->on_dead(*current(), step);
  report(FindingKind::kUseAfterFree,
         std::string("KASAN: use-after-free ") +
             (step.access == Access::kRead ? "Read" : "Write") + " in " +
             bare_function_name(step.where.function_name()),
         "at " + describe_place(step.where), step.where);
}

void FiberRuntime::no_progress() {
  report(FindingKind::kNoProgress, "BUG: soft lockup: no progress",
         "more than " + std::to_string(steps_max_) + " steps");
}

void FiberRuntime::record_deadlock() {
  std::array<Stuck, kTasksMax> stuck;
  std::size_t count = 0;
  for (Mask rest = unfinished_; rest != 0; rest &= rest - 1) {
    const int id = std::countr_zero(rest);
    stuck[count++] = {&tasks_[id], (parked_ & bit(id)) != 0, scene_.pending[id]->where};
  }
  const std::span<const Stuck> all(stuck.data(), count);
  Finding finding;
  finding.kind = FindingKind::kDeadlock;
  finding.title = hung_title(all);
  finding.detail = describe(all);
  finding.where = all[0].where;
  run_->record(std::move(finding));
}

}  // namespace racier
