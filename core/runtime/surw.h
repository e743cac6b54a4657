// core/runtime/surw.h - selectively uniform random walk: one object, all orders alike.
//
// Zhao, Wolff, Mathur, Roychoudhury: Selectively Uniform Concurrency Testing (ASPLOS
// 2025).  Of the accesses to one object, the task that makes the next one is drawn with
// the number of those it has left as its weight, so each order of them is as likely as
// any other.  Whatever else is pending goes on by POS until that task is there.
#pragma once
#include "core/runtime/experience.h"
#include "core/runtime/pos.h"

namespace racier {

// Draws the object anew in each run, from those that tasks shared in the last one:
// those with few accesses more often, for noise has many.  Without a last run it takes
// the object number `object` of the run, and guesses the weights.
class Surw final : public Strategy {
 public:
  Surw(std::uint64_t seed, std::uint32_t object, Experience& experience)
      : seed_(seed), first_object_(object), experience_(experience), pos_(seed) {}

  void begin_run(int tasks) override;
  bool next_execution() override;
  int next(const Scene& scene) override;
  void on_executed(const Scene& scene, int task, const Step& step) override;
  std::uint64_t choose(int task, std::uint32_t index, std::uint64_t limit) override {
    return pos_.choose(task, index, limit);
  }

  // For a strategy on top: of `tasks` (not 0), those that need not be held back.
  std::uint32_t allowed(const Scene& scene, std::uint32_t tasks);
  const Pos& pos() const { return pos_; }

 private:
  void select_one();
  void guess(int tasks);
  bool is_at_object(const Scene& scene, int task);
  void draw_next(std::uint32_t tasks);

  std::uint64_t seed_;
  std::uint32_t first_object_;
  Experience& experience_;
  Pos pos_;

  // The current run.
  Random random_;
  bool on_ = false;  // an object is selected
  std::array<std::uint16_t, kTasksMax> name_{};
  ObjectIndex object_ = kNoObject;               // once it has been seen
  std::array<std::uint32_t, kTasksMax> left_{};  // accesses to it, by task
  int next_ = -1;                                // makes the next one
  std::uint32_t held_ = 0;                       // decisions since the last one
};

}  // namespace racier
