// core/runtime/exhaustive.cc - a path through the tree, and the one after it.
//
// Tested by exhaustive_test.cc.
#include "core/runtime/exhaustive.h"

#include <algorithm>

#include "core/base/random.h"
#include "core/base/run_state.h"

namespace racier {
namespace {

// Returns a hash of what the task is about to do that ran last, where, and whose steps
// conflict with it: no address.  Those of the others have not changed since.
std::uint64_t digest(const Scene& scene) {
  const Step* const step = scene.pending[scene.running];
  if (step == nullptr) return 1;
  std::uint64_t conflicts = 0;
  for (int other = 0; other < scene.tasks; ++other) {
    const Step* const another = scene.pending[other];
    if (other != scene.running && another != nullptr && conflict(*step, *another)) {
      conflicts |= 1u << other;
    }
  }
  const std::uint64_t what =
      std::uint64_t{step->size} << 32 | static_cast<std::uint64_t>(step->access) << 16;
  return Random::mixed(std::uint64_t{step->where.line()} << 32 | step->where.column()) +
         Random::mixed(what | conflicts);
}

}  // namespace

void Exhaustive::begin_run(int tasks) {
  at_ = 0;
  yields_ = options_.last_task == LastTask::kLikeOthers ? -1 : tasks - 1;
  leads_ = options_.last_task == LastTask::kWaitsFirst;
  started_ = given_up_ = met_ = chosen_ = false;
  asleep_ = 0;
  preemptions_ = 0;
  last_ = nullptr;
}

// ---- A run
// ---------------------------------------------------------------------------

int Exhaustive::next(const Scene& scene) {
  finish_step(scene);
  if (leads_) {
    if (scene.can_run(scene.tasks - 1)) return scene.tasks - 1;
    leads_ = met_ = false;
  }
  if (given_up_) return scene.by_rule();
  return at_ < path_.size() ? follow(scene) : extend(scene);
}

// Notes whether the task of the last decision could not have gone on.
void Exhaustive::finish_step(const Scene& scene) {
  if (last_ == nullptr) return;
  (scene.can_run(last_->task) ? last_->went_on : last_->stopped) |= Mask{1}
                                                                    << last_->task;
  last_ = nullptr;
}

int Exhaustive::follow(const Scene& scene) {
  Node& node = path_[at_];
  if (node.limit != 0 || node.runnable != scene.runnable ||
      node.running != scene.running || node.pending != digest(scene)) {
    give_up_diverged();
    return scene.by_rule();
  }
  return take(node, node.task);
}

int Exhaustive::extend(const Scene& scene) {
  Node node;
  node.runnable = scene.runnable;
  node.pending = digest(scene);
  node.asleep = asleep_;
  node.running = static_cast<std::uint8_t>(scene.running);
  node.running_goes_on = started_ && scene.can_run(scene.running);
  node.behind_meeting = met_;
  node.preemptions = preemptions_;
  const Mask free = candidates(node);
  const int rule = scene.by_rule();
  const int task = (free >> rule & 1) != 0 ? rule : std::countr_zero(free);
  if (free == 0) {
    given_up_ = true;
    cut_ = cut_ || (node.runnable & ~node.asleep) != 0;
    return scene.by_rule();
  }
  if (!path_.push(node)) {
    given_up_ = full_ = true;
    return scene.by_rule();
  }
  return take(path_.back(), task);
}

// Those that are neither asleep nor tried, and that the bound allows.
Exhaustive::Mask Exhaustive::candidates(const Node& node) const {
  Mask free = node.runnable & ~node.asleep & ~node.tried;
  for (Mask rest = free; rest != 0; rest &= rest - 1) {
    const int task = std::countr_zero(rest);
    if (!affordable(node, task)) free &= ~(Mask{1} << task);
  }
  return free;
}

int Exhaustive::take(Node& node, int task) {
  node.task = static_cast<std::uint8_t>(task);
  asleep_ = options_.reduction == Reduction::kNone
                ? 0
                : node.asleep | (node.tried & node.may_sleep & ~node.awake);
  preemptions_ = node.preemptions + costs(node, task);
  started_ = true;
  last_ = &node;
  ++at_;
  return task;
}

// Whoever sleeps wakes when something happens that its step does not commute with.
void Exhaustive::on_executed(const Scene& scene, int task, const Step& step) {
  if (options_.reduction == Reduction::kMeetings)
    note_meeting(words_.touch(task, step));
  asleep_ &= ~(Mask{1} << task);
  for (Mask rest = asleep_; rest != 0; rest &= rest - 1) {
    const int other = std::countr_zero(rest);
    const Step* const pending = scene.pending[other];
    if (pending == nullptr || conflict(*pending, step)) asleep_ &= ~(Mask{1} << other);
  }
}

void Exhaustive::note_meeting(bool meets) {
  met_ = meets;
  if (last_ != nullptr) last_->meeting = last_->meeting || meets;
}

void Exhaustive::on_side_effects(int task) {
  note_meeting(true);
  // Whoever frees something does so in an order without preemptions, too.
  const RunState* const run = current_run();
  if (options_.reduction == Reduction::kMeetings && bound_ == 0 && run != nullptr &&
      run->live != nullptr) {
    words_.touch_dead(task, *run->live);
  }
  asleep_ = 0;
  if (last_ != nullptr) last_->awake |= Mask{1} << task;
}

std::uint64_t Exhaustive::choose(int, std::uint32_t, std::uint64_t limit) {
  if (given_up_ || limit < 2) return 0;
  if (chosen_) return std::min(choice_, limit - 1);
  if (at_ == path_.size()) {
    Node node;
    node.limit = limit;
    if (!path_.push(node)) {
      given_up_ = full_ = true;
      return 0;
    }
  }
  const Node& node = path_[at_];
  if (node.limit != limit) {
    give_up_diverged();
    return 0;
  }
  ++at_;
  chosen_ = options_.choices == Choices::kAlike;
  choice_ = node.value;
  return node.value;
}

void Exhaustive::give_up_diverged() { given_up_ = diverged_ = true; }

// ---- The next one
// ---------------------------------------------------------------------

bool Exhaustive::next_execution() {
  if (done_) return false;
  if (at_ < path_.size() && !given_up_) give_up_diverged();  // it ended too soon
  ++(given_up_ ? redundant_ : executions_);
  return try_again() || backtrack() || raise_bound();
}

Strategy::Tried Exhaustive::tried() const {
  if (!done_ || full_ || diverged_) return Tried::kSome;
  return cut_ ? Tried::kWithinDepth : Tried::kAll;
}

// Goes back to the last node where something is left.
bool Exhaustive::backtrack() {
  for (; !path_.empty(); path_.pop()) {
    if (try_another(path_.back())) return true;
  }
  return false;
}

bool Exhaustive::try_another(Node& node) {
  if (node.limit != 0) return ++node.value < node.limit;
  const Mask done = Mask{1} << node.task;
  node.tried |= done;
  const bool went_on = node.running_goes_on && node.task == node.running;
  const bool always_stopped = (node.stopped & ~node.went_on & done) != 0;
  const bool sooner = !went_on && costs(node, node.task);  // than another order needs
  if (bound_ == kUnbounded || went_on || (always_stopped && !sooner)) {
    node.may_sleep |= done;
  }
  if (passes_over(node)) return false;
  const Mask free = candidates(node);
  if ((node.runnable & ~node.asleep & ~node.tried) != free) cut_ = true;
  if (free == 0) return false;
  node.task = static_cast<std::uint8_t>(std::countr_zero(free));
  return true;
}

// A word has come to be shared: where it was touched there may have been more to try.
bool Exhaustive::try_again() {
  if (options_.reduction != Reduction::kMeetings || !words_.grew()) return false;
  words_.settle();
  while (!path_.empty()) path_.pop();
  cut_ = false;
  executions_ = redundant_ = 0;
  return true;
}

bool Exhaustive::raise_bound() {
  done_ = !cut_ || bound_ == (options_.most != 0 ? options_.most : kUnbounded);
  if (done_) return false;
  bound_ = options_.most != 0 || bound_ < kBoundsTried ? bound_ + 1 : kUnbounded;
  cut_ = false;
  executions_ = redundant_ = 0;
  return true;
}

}  // namespace racier
