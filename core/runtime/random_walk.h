// core/runtime/random_walk.h - at every step, any task that can run.
#pragma once
#include "core/base/random.h"
#include "core/runtime/strategy.h"

namespace racier {

class RandomWalk final : public Strategy {
 public:
  explicit RandomWalk(std::uint64_t seed) : seed_(seed) {}

  void begin_run(int) override { random_ = Random(seed_); }
  bool next_execution() override {
    seed_ = Random(seed_).next();
    return true;
  }
  int next(const Scene& scene) override {
    const auto count = static_cast<std::uint64_t>(scene.runnable_count());
    return scene.nth_runnable(static_cast<int>(random_.below(count)));
  }
  std::uint64_t choose(int, std::uint32_t, std::uint64_t limit) override {
    return random_.below(limit);
  }

 private:
  std::uint64_t seed_;
  Random random_;
};

}  // namespace racier
