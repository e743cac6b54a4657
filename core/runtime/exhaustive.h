// core/runtime/exhaustive.h - every order of the steps, those with few preemptions
// first.
//
// Musuvathi, Qadeer: Iterative Context Bounding (PLDI 2007): most bugs need one or two
// preemptions, and executions with few of them are few.  Godefroid: Partial-Order
// Methods (1996): sleep sets leave out orders that differ in no conflict from one that
// was tried.
#pragma once
#include "core/runtime/reserved_array.h"
#include "core/runtime/shared_words.h"
#include "core/runtime/strategy.h"

namespace racier {

// Depth first, a tree of decisions and choices, with no memory but the current path.
// The bounds are 0, 1, 2, then none.  A task whose run gives the same however often it
// is run is needed, and tasks that share by steps, or note what else they do
// (note_side_effects()): two orders of accesses to plain data between steps are one to
// it.  A step with side effects, as all are in weak memory, commutes with none.
//
// Sleep sets and a bound do not go together as they are: the order that was tried may
// need a preemption more than the one that is left out.  So under a bound a task sleeps
// only where the tried order needs no more: it was the running one, or its step was its
// last before it waits or ends.
//
// kMeetings: further, a task is only preempted where it is about to touch, or has just
// touched, a word that another task touches in any run of the search, or frees in one
// without preemptions, or where what it does is more than its step says.  Between two
// steps on words of its own it is as if it had been in front of the first, or behind
// the last of them, but for what another task does to such a word without a step (it
// pokes it).  Which words are shared is learned: a bound is searched again when another
// one has come to be.
class Exhaustive final : public Strategy {
 public:
  static constexpr int kUnbounded = kDepthMax + 1;

  enum class Reduction : std::uint8_t { kNone, kSleepSets, kMeetings };
  // What the last task is, which may work for the others (RCU's).
  enum class LastTask : std::uint8_t {
    kLikeOthers,
    kYields,      // that it runs although another one can is a preemption
    kWaitsFirst,  // likewise; and each run begins with it alone, until it waits
  };

  // What a run chooses: each by itself, or all as the first one.
  enum class Choices : std::uint8_t { kEach, kAlike };

  struct Options {
    int most = 0;  // preemptions; 0: until everything is tried
    Reduction reduction = Reduction::kSleepSets;
    LastTask last_task = LastTask::kLikeOthers;
    Choices choices = Choices::kEach;
  };
  explicit Exhaustive(const Options& options) : options_(options), path_(kPathMax) {}
  explicit Exhaustive(int most, Reduction reduction = Reduction::kSleepSets)
      : Exhaustive(Options{.most = most, .reduction = reduction}) {}

  // What has been run with the current bound: complete executions that differ in the
  // order of a conflict (under a bound, perhaps also in less), and those that turned
  // out to be like one before and went on by the fixed rule.
  std::uint64_t executions() const { return executions_; }
  std::uint64_t redundant() const { return redundant_; }
  int bound() const { return bound_; }
  // Whether every execution has been tried, with however many preemptions.
  bool exhausted() const { return tried() == Tried::kAll; }
  // With kMeetings: what the tasks have touched so far.
  const SharedWords& words() const { return words_; }
  Tried tried() const override;
  bool diverged() const override { return diverged_; }

  void begin_run(int tasks) override;
  bool next_execution() override;
  int next(const Scene& scene) override;
  void on_executed(const Scene& scene, int task, const Step& step) override;
  void on_side_effects(int task) override;
  std::uint64_t choose(int task, std::uint32_t index, std::uint64_t limit) override;
  std::uint64_t choose_rarely(int task, std::uint32_t index,
                              std::uint64_t most) override {
    return choose(task, index, most + 1);  // each once
  }

 private:
  using Mask = std::uint32_t;  // a set of tasks
  static constexpr std::size_t kPathMax = 1 << 18;
  static constexpr int kBoundsTried = 2;

  // A decision, or a choice: then `limit` is not 0.
  struct Node {
    std::uint64_t limit = 0;
    std::uint64_t value = 0;
    Mask runnable = 0;
    Mask asleep = 0;     // when it was reached
    Mask tried = 0;      // with all that follows
    Mask may_sleep = 0;  // of those tried
    Mask stopped = 0;    // of those tried: could not go on behind the step
    Mask went_on = 0;    // likewise: could, after some choice
    Mask awake = 0;      // of those tried: their steps commute with no other
    // What every task was about to do, to know it again.
    std::uint64_t pending = 0;
    std::uint8_t task = 0;
    std::uint8_t running = 0;
    bool running_goes_on = false;   // to take another one is a preemption
    bool behind_meeting = false;    // the step before it was one
    bool meeting = false;           // a step that was taken here is one
    std::uint32_t preemptions = 0;  // before it
  };

  bool costs(const Node& node, int task) const {
    if (node.running_goes_on) return task != node.running;
    return task == yields_ && node.runnable != Mask{1} << task;
  }
  bool affordable(const Node& node, int task) const {
    const int needed = static_cast<int>(node.preemptions) + costs(node, task);
    return bound_ == kUnbounded || needed <= bound_;
  }
  // Whether whatever an interruption leads to is tried elsewhere.
  bool passes_over(const Node& node) const {
    return options_.reduction == Reduction::kMeetings && node.running_goes_on &&
           !node.behind_meeting && !node.meeting;
  }
  Mask candidates(const Node& node) const;
  int follow(const Scene& scene);
  int extend(const Scene& scene);
  int take(Node& node, int task);
  void finish_step(const Scene& scene);
  bool backtrack();
  bool try_another(Node& node);
  void give_up_diverged();
  void note_meeting(bool meets);
  bool try_again();
  bool raise_bound();

  Options options_;
  int bound_ = 0;
  bool cut_ = false;       // the bound has kept something from being tried
  bool full_ = false;      // a path was too long
  bool diverged_ = false;  // the same decisions led elsewhere
  bool done_ = false;
  std::uint64_t executions_ = 0;
  std::uint64_t redundant_ = 0;
  ReservedArray<Node> path_;
  SharedWords words_;

  // The current run.
  std::size_t at_ = 0;   // nodes passed
  bool chosen_ = false;  // and what:
  std::uint64_t choice_ = 0;
  int yields_ = -1;     // the last task, if it does
  bool leads_ = false;  // the last task has not waited yet
  bool started_ = false;
  bool met_ = false;       // the last step was a meeting
  bool given_up_ = false;  // nothing new follows
  Mask asleep_ = 0;
  std::uint32_t preemptions_ = 0;
  Node* last_ = nullptr;  // its step is being made
};

}  // namespace racier
