// core/runtime/step_observer.cc - one run, two observers.
// Tested by feedback_test.cc.
#include "core/runtime/step_observer.h"

namespace racier {

void TwoObservers::on_run(const RunState& run) {
  if (first_ != nullptr) first_->on_run(run);
  if (second_ != nullptr) second_->on_run(run);
}

void TwoObservers::on_step(const Task& task, const Step& step) {
  if (first_ != nullptr) first_->on_step(task, step);
  if (second_ != nullptr) second_->on_step(task, step);
}

void TwoObservers::on_dead(const Task& task, const Step& step) {
  if (first_ != nullptr) first_->on_dead(task, step);
  if (second_ != nullptr) second_->on_dead(task, step);
}

}  // namespace racier
