// core/runtime/overridden.h - a strategy with a few of its decisions replaced.
#pragma once
#include <memory>
#include <vector>

#include "core/runtime/strategy.h"

namespace racier {

// Asks another strategy, but for the overrides of a schedule: each counts the steps of
// all tasks from the one before, so mutating one moves the later ones along.
class Overridden final : public Strategy {
 public:
  Overridden(std::unique_ptr<Strategy> inner, std::vector<Override> overrides)
      : inner_(std::move(inner)), overrides_(std::move(overrides)) {}

  void begin_run(int tasks) override {
    inner_->begin_run(tasks);
    at_ = 0;
    steps_ = 0;
  }
  bool next_execution() override { return inner_->next_execution(); }
  int next(const Scene& scene) override {
    const int inner =
        inner_->next(scene);  // asked always: its random numbers stay in step
    if (at_ == overrides_.size() || steps_++ < overrides_[at_].delta) return inner;
    steps_ = 0;
    return scene.nth_runnable(overrides_[at_++].target % scene.runnable_count());
  }
  void on_executed(const Scene& scene, int task, const Step& step) override {
    inner_->on_executed(scene, task, step);
  }
  void on_side_effects(int task) override { inner_->on_side_effects(task); }
  std::uint64_t choose(int task, std::uint32_t index, std::uint64_t limit) override {
    return inner_->choose(task, index, limit);
  }
  std::uint64_t choose_rarely(int task, std::uint32_t index,
                              std::uint64_t most) override {
    return inner_->choose_rarely(task, index, most);
  }
  Tried tried() const override { return inner_->tried(); }
  bool diverged() const override { return inner_->diverged(); }

 private:
  std::unique_ptr<Strategy> inner_;
  std::vector<Override> overrides_;
  std::size_t at_ = 0;       // the override that comes next
  std::uint32_t steps_ = 0;  // since the one before
};

}  // namespace racier
