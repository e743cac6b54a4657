// core/runtime/pos.h - partial order sampling: random priorities for what is pending.
//
// Yuan, Yang, Gu: Partial Order Aware Concurrency Sampling (CAV 2018).  Every pending
// step has a random priority, the highest goes first.  Once a step is done, those that
// conflict with it draw again: so orders that differ in a conflict are sampled evenly,
// and orders that differ in nothing are not told apart.
#pragma once
#include "core/base/random.h"
#include "core/runtime/strategy.h"

namespace racier {

class Pos final : public Strategy {
 public:
  explicit Pos(std::uint64_t seed) : seed_(seed) {}

  void begin_run(int tasks) override {
    random_ = Random(seed_);
    for (int task = 0; task < tasks; ++task) draw(task);
  }

  bool next_execution() override {
    seed_ = Random(seed_).next();
    return true;
  }
  int next(const Scene& scene) override { return best_of(scene.runnable); }

  // Returns the one of `tasks` (bit t: task t; not 0) with the highest priority.
  int best_of(std::uint32_t tasks) const { return highest(tasks, priority_); }

  void on_executed(const Scene& scene, int task, const Step& step) override {
    for (int other = 0; other < scene.tasks; ++other) {
      const Step* const pending = scene.pending[other];
      if (other != task && pending != nullptr && conflict(*pending, step)) draw(other);
    }
    draw(task);
  }

  std::uint64_t choose(int, std::uint32_t, std::uint64_t limit) override {
    return random_.below(limit);
  }

 private:
  void draw(int task) { priority_[task] = random_.next(); }

  std::uint64_t seed_;
  Random random_;
  std::array<std::uint64_t, kTasksMax> priority_{};
};

}  // namespace racier
