// core/runtime/interruptions.cc - see interruptions.h.
//
// Here, where no sanitizer looks, as all that is done on tasks between their steps.
// Tested by strategy_test.cc.
#include "core/runtime/interruptions.h"

#include <algorithm>
#include <utility>

namespace racier {

Interruptions::Interruptions(std::unique_ptr<Strategy> inner, std::uint32_t most)
    : inner_(std::move(inner)), places_(most) {}

bool Interruptions::has(int task, std::uint32_t step) const {
  const auto places = places_.entries();
  return std::any_of(places.begin(), places.end(), [&](const Place& place) {
    return place.task == task && place.step == step;
  });
}

void Interruptions::begin_run(int tasks) {
  places_.clear();
  inner_->begin_run(tasks);
}

bool Interruptions::next_execution() { return inner_->next_execution(); }

int Interruptions::next(const Scene& scene) {
  const int next = inner_->next(scene);
  if (next != scene.running && scene.can_run(scene.running)) {
    places_.push({scene.running, scene.step});
  }
  return next;
}

void Interruptions::on_executed(const Scene& scene, int task, const Step& step) {
  inner_->on_executed(scene, task, step);
}

void Interruptions::on_side_effects(int task) { inner_->on_side_effects(task); }

std::uint64_t Interruptions::choose(int task, std::uint32_t index,
                                    std::uint64_t limit) {
  return inner_->choose(task, index, limit);
}

std::uint64_t Interruptions::choose_rarely(int task, std::uint32_t index,
                                           std::uint64_t most) {
  return inner_->choose_rarely(task, index, most);
}

}  // namespace racier
