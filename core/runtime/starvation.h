// core/runtime/starvation.h - strict priorities for a while, then others.
//
// After the chaos mode of rr (O'Callahan: Introducing rr chaos mode, 2016): races that
// random switches miss show when a task does not run at all for long, and how long must
// vary over all scales.
#pragma once
#include <algorithm>

#include "core/base/random.h"
#include "core/runtime/experience.h"
#include "core/runtime/strategy.h"

namespace racier {

// In each interval, of a log-uniform length, the tasks have a random order: the first
// one runs until it waits, the last one does not run unless all others wait.
class Starvation final : public Strategy {
 public:
  Starvation(std::uint64_t seed, const Experience& experience)
      : seed_(seed), experience_(experience) {}

  void begin_run(int) override {
    random_ = Random(seed_);
    left_ = 0;
  }
  bool next_execution() override {
    seed_ = Random(seed_).next();
    return true;
  }
  int next(const Scene& scene) override {
    if (left_-- == 0) begin_interval(scene.tasks);
    return highest(scene.runnable, priority_);
  }
  std::uint64_t choose(int, std::uint32_t, std::uint64_t limit) override {
    return random_.below(limit);
  }

 private:
  void begin_interval(int tasks) {
    // Up to a whole run, which is taken to be long if none is known.
    constexpr int kScalesMax = std::bit_width(kPatience) - 1;
    const int run = std::bit_width(experience_.steps());
    const int scales = run == 0 ? kScalesMax : std::min(run, kScalesMax);
    left_ =
        random_.below(1ull << random_.below(static_cast<std::uint64_t>(scales) + 1));
    for (int task = 0; task < tasks; ++task) priority_[task] = random_.next();
  }

  std::uint64_t seed_;
  const Experience& experience_;

  // The current run.
  Random random_;
  std::uint64_t left_ = 0;  // decisions in this interval
  std::array<std::uint64_t, kTasksMax> priority_{};
};

}  // namespace racier
