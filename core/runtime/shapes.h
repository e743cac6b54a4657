// core/runtime/shapes.h - small programs with the bug shapes of mm/rmap, to measure
// strategies with.
//
//   for (const Shape& shape : shapes())
//     run_shape(shape, runtime, run, Mend::kNot);  // run.finding()
//
// Each has one bug, needs `depth` ordered steps to show it, and is clean when mended.
// All they share is Atomics and SpinLocks, so each access is a step.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/run_state.h"
#include "core/sync/atomic.h"
#include "core/sync/runtime.h"

namespace racier {

enum class Mend : bool { kNot, kDone };

// How much goes on around the steps that matter.
struct ShapeForm {
  std::array<int, 3> before{};  // steps of a task in front of them
  int all = 0;                  // steps of a task in front of them and behind
  bool noisy = false;           // those steps are on words that all tasks share
};

struct Shape {
  const char* name;
  int depth;
  int tasks;
  int bystanders;  // tasks that only make steps
  ShapeForm form;
  void (*run)(const Shape& shape, Runtime& runtime, RunState& run, Mend mend);
};

std::span<const Shape> shapes();
// Returns the shape of that name, or nullptr.
const Shape* find_shape(std::string_view name);

// Runs `shape` once as a run of `runtime`, with its state made anew.
inline void run_shape(const Shape& shape, Runtime& runtime, RunState& run, Mend mend) {
  run.reset();
  shape.run(shape, runtime, run, mend);
}

// What the shapes have in common.
class ShapeProgram {
 public:
  ShapeProgram(const Shape& shape, Mend mend)
      : shape_(shape), mended_(mend == Mend::kDone) {}

  // What a bystander does.
  void stand_by() { work(shape_.form.all); }

 protected:
  bool mended() const { return mended_; }
  // The steps in front of those that matter, and the ones behind.
  void work_before(int task) { work(shape_.form.before[at(task)]); }
  void work_after(int task) { work(shape_.form.all - shape_.form.before[at(task)]); }
  // Makes steps that matter to nobody.
  void work(int steps);

 private:
  static constexpr int kNoiseWords = 40;
  static std::size_t at(int task) {
    return task < 3 ? static_cast<std::size_t>(task) : 2;
  }

  const Shape& shape_;
  bool mended_;
  std::array<Atomic<int>, kTasksMax> own_;
  std::array<Atomic<int>, kNoiseWords> noise_;
  std::array<std::size_t, kTasksMax> noise_made_{};
};

}  // namespace racier
