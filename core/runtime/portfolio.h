// core/runtime/portfolio.h - several strategies in turn, with one experience.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "core/runtime/experience.h"
#include "core/runtime/strategy.h"

namespace racier {

// Each execution belongs to the next of `turns`, round and round; all learn from each.
// With a single turn it is what gives a strategy the experience that it needs.
class Portfolio final : public Strategy {
 public:
  // Seed, object and depth are those of `schedule`.
  Portfolio(const Schedule& schedule, std::span<const StrategyKind> turns);
  // The shares that proved good: README.md has the measurements.
  explicit Portfolio(const Schedule& schedule);

  // Whose turn it is.
  StrategyKind kind() const { return turns_[turn_]; }

  void begin_run(int tasks) override;
  bool next_execution() override;
  int next(const Scene& scene) override { return active_->next(scene); }
  void on_executed(const Scene& scene, int task, const Step& step) override {
    active_->on_executed(scene, task, step);
    experience_.on_executed(scene, task, step);
  }
  std::uint64_t choose(int task, std::uint32_t index, std::uint64_t limit) override {
    return active_->choose(task, index, limit);
  }

 private:
  std::unique_ptr<Strategy> make_member(const Schedule& schedule, StrategyKind kind);

  Experience experience_;
  std::span<const StrategyKind> turns_;
  std::array<std::unique_ptr<Strategy>, kStrategyKinds> members_;
  std::size_t turn_ = 0;
  Strategy* active_ = nullptr;
};

}  // namespace racier
