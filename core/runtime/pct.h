// core/runtime/pct.h - probabilistic concurrency testing: few changes of priority.
//
// Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with
// Probabilistic Guarantees of Finding Bugs (ASPLOS 2010).  The task with the highest
// priority runs; at depth - 1 random steps it falls below all others.  A bug that needs
// `depth` ordered steps, in a run of k steps of n tasks, is found with probability 1 /
// (n k^(depth-1)) at least: where nobody polls for long, and as far as a run is no
// longer than k, the length of the last one.
#pragma once
#include "core/base/random.h"
#include "core/runtime/experience.h"
#include "core/runtime/strategy.h"

namespace racier {

// The runtime lets nobody run that waits, so a wait changes no priority.  A task that
// has run for kPatience steps while others could, and perhaps polls, falls to the
// lowest.
class Pct final : public Strategy {
 public:
  // `depth` 0: in each run another of those that most bugs have.
  Pct(std::uint64_t seed, int depth, const Experience& experience)
      : seed_(seed), depth_(depth), experience_(experience) {}

  void begin_run(int tasks) override;
  bool next_execution() override;
  int next(const Scene& scene) override;
  void on_executed(const Scene& scene, int task, const Step& step) override;
  std::uint64_t choose(int, std::uint32_t, std::uint64_t limit) override {
    return random_.below(limit);
  }

 private:
  void draw_priorities(int tasks, int depth);
  void draw_changes(int depth);
  void demote(int task) { priority_[task] = --lowest_; }

  std::uint64_t seed_;
  int depth_;
  const Experience& experience_;

  // The current run.
  Random random_;
  std::array<int, kTasksMax> priority_{};
  std::array<std::uint32_t, kDepthMax> changes_{};  // at these steps of the run
  int change_count_ = 0;
  int lowest_ = 0;
  std::uint32_t steps_ = 0;
  std::uint32_t in_a_row_ = 0;  // of `last_`, while others could run
  int last_ = -1;
};

}  // namespace racier
