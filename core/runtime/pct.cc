// core/runtime/pct.cc - priorities and where they change.
//
// Tested by strategy_test.cc and search_test.cc.
#include "core/runtime/pct.h"

#include <algorithm>
#include <utility>

namespace racier {

void Pct::begin_run(int tasks) {
  constexpr int kDepths[] = {2, 3, 5};
  random_ = Random(seed_);
  const int depth = depth_ != 0 ? depth_ : kDepths[random_.below(std::size(kDepths))];
  draw_priorities(tasks, depth);
  draw_changes(depth);
  lowest_ = 0;
  steps_ = in_a_row_ = 0;
  last_ = -1;
}

bool Pct::next_execution() {
  seed_ = Random(seed_).next();
  return true;
}

// A random order, above what the changes give.
void Pct::draw_priorities(int tasks, int depth) {
  for (int task = 0; task < tasks; ++task) {
    priority_[task] = depth + task;
    std::swap(priority_[task],
              priority_[random_.below(static_cast<std::uint64_t>(task) + 1)]);
  }
}

// Evenly over a run as long as the last one; over any length, if none is known.
void Pct::draw_changes(int depth) {
  constexpr std::uint64_t kLogLengthMax = 12;
  change_count_ = std::min(depth - 1, kDepthMax);
  for (int i = 0; i < change_count_; ++i) {
    const std::uint64_t length = experience_.steps() != 0
                                     ? experience_.steps()
                                     : 1ull << random_.below(kLogLengthMax + 1);
    changes_[i] = static_cast<std::uint32_t>(random_.below(length));
  }
}

int Pct::next(const Scene& scene) { return highest(scene.runnable, priority_); }

void Pct::on_executed(const Scene& scene, int task, const Step&) {
  for (int i = 0; i < change_count_; ++i) {
    if (changes_[i] == steps_) priority_[task] = i + 1;
  }
  ++steps_;
  in_a_row_ = task == last_ && scene.runnable_count() > 1 ? in_a_row_ + 1 : 0;
  last_ = task;
  if (in_a_row_ < kPatience) return;
  demote(task);
  in_a_row_ = 0;
}

}  // namespace racier
