// core/runtime/shapes.cc - the table of shapes.
//
// The shapes are those of Thomson, Donaldson, Betts: Concurrency Testing Using
// Controlled Schedulers (SCTBench, TOPC 2016), and of bugs of the kernel's mm.  In a
// skew_ form the steps that matter lie at opposite ends of their tasks; a nz_ form is
// noisy.
//
// Tested by shapes_test.cc.
#include "core/runtime/shapes.h"

#include <atomic>
#include <vector>

#include "core/base/function_ref.h"
#include "core/runtime/shapes_lifetime.h"
#include "core/runtime/shapes_lock.h"
#include "core/runtime/shapes_order.h"

namespace racier {
namespace {

using namespace shape;

template <typename Program>
void run_as(const Shape& shape, Runtime& runtime, RunState& run, Mend mend) {
  Program program(shape, mend);
  const int tasks = shape.tasks + shape.bystanders;
  std::atomic<int> unfinished{tasks};
  const auto body = [&] {
    const int task = current()->id;
    task < shape.tasks ? program.body(task, shape.tasks) : program.stand_by();
    if (--unfinished == 0) program.at_end();
  };
  const std::vector<FunctionRef<void()>> bodies(static_cast<std::size_t>(tasks), body);
  runtime.run(run, bodies);
}

constexpr ShapeForm kBare{};

// name, depth, tasks, bystanders, {{steps before}, steps in all, noisy}
constexpr Shape kShapes[] = {
    {"lost_update", 2, 2, 0, {{31, 31}, 62}, &run_as<LostUpdate>},
    {"uaf_unlink", 2, 2, 0, {{41, 41}, 82}, &run_as<UafUnlink>},
    {"abba", 2, 2, 0, {{40, 40}, 80}, &run_as<LockCycle<2>>},
    {"abbcca", 3, 3, 0, {{30, 30, 30}, 60}, &run_as<LockCycle<3>>},
    {"aba_stack", 3, 2, 0, {{9, 9}, 18}, &run_as<AbaStack>},
    {"seq_norecheck", 3, 2, 0, {{30, 30}, 60}, &run_as<SeqNoRecheck>},
    {"dbl_check_free", 2, 3, 0, {{29, 29, 29}, 58}, &run_as<DoubleCheckFree>},
    {"ref_resurrect", 3, 2, 0, {{29, 29}, 58}, &run_as<RefResurrect>},
    {"migr_skip", 3, 3, 0, {{30, 30, 30}, 59}, &run_as<MigrationSkip>},
    {"vma_cache", 3, 3, 0, {{17, 17, 17}, 34}, &run_as<VmaCache>},
    {"reorder_3", 2, 3, 0, kBare, &run_as<Reorder>},
    {"reorder_5", 2, 5, 0, kBare, &run_as<Reorder>},
    {"reorder_10", 2, 10, 0, kBare, &run_as<Reorder>},
    {"reorder_16", 2, 16, 0, kBare, &run_as<Reorder>},
    {"twostage_1", 2, 2, 0, kBare, &run_as<TwoStage>},
    {"twostage_10", 2, 11, 0, kBare, &run_as<TwoStage>},
    {"window_d1", 2, 2, 0, {{12, 12}, 24}, &run_as<Window<1>>},
    {"window_d2", 4, 2, 0, {{12, 12}, 24}, &run_as<Window<2>>},
    {"window_d3", 6, 2, 0, {{12, 12}, 24}, &run_as<Window<3>>},
    {"window_d4", 8, 2, 0, {{12, 12}, 24}, &run_as<Window<4>>},
    {"long_lost", 2, 3, 0, {{150, 150, 150}, 301}, &run_as<LostUpdate>},
    {"long_order", 3, 2, 0, {{10, 255}, 270}, &run_as<PublishOrder>},
    {"skew_uaf", 2, 2, 0, {{5, 150}, 158}, &run_as<UafUnlink>},
    {"skew_abba", 2, 2, 0, {{5, 120}, 126}, &run_as<LockCycle<2>>},
    {"skew_lost", 2, 2, 0, {{5, 150}, 157}, &run_as<LostUpdate>},
    {"skew_migr", 3, 3, 0, {{50, 95, 5}, 101}, &run_as<MigrationSkip>},
    {"skew_resurrect", 3, 2, 0, {{5, 105}, 110}, &run_as<RefResurrect>},
    {"nz_uaf", 2, 2, 1, {{5, 110}, 122, true}, &run_as<UafUnlink>},
    {"nz_lost", 2, 2, 1, {{40, 75}, 122, true}, &run_as<LostUpdate>},
    {"nz_migr", 3, 3, 0, {{50, 60, 50}, 104, true}, &run_as<MigrationSkip>},
    {"nz_resurrect", 3, 2, 1, {{5, 95}, 102, true}, &run_as<RefResurrect>},
    {"nz_abba", 2, 2, 1, {{5, 105}, 114, true}, &run_as<LockCycle<2>>},
    {"nz_window2", 4, 2, 0, {{12, 12}, 24, true}, &run_as<Window<2>>},
};

}  // namespace

std::span<const Shape> shapes() { return kShapes; }

const Shape* find_shape(std::string_view name) {
  for (const Shape& shape : kShapes) {
    if (name == shape.name) return &shape;
  }
  return nullptr;
}

void ShapeProgram::work(int steps) {
  const auto self = static_cast<std::size_t>(current()->id);
  for (; steps > 0; --steps) {
    if (!shape_.form.noisy) {
      own_[self].fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    // All go through the words in one order, each a little ahead of the one before it.
    const std::size_t at = noise_made_[self]++;
    Atomic<int>& word = noise_[7 * (at + 2 * self) % kNoiseWords];
    if (at % 2 == 0) {
      word.store(1, std::memory_order_relaxed);
    } else {
      word.load(std::memory_order_relaxed);
    }
  }
}

}  // namespace racier
