// core/runtime/shapes_test.cc - each shape has its bug, and no other.
#include "core/runtime/shapes.h"

#include <gtest/gtest.h>

#include "core/runtime/run_alone.h"

namespace racier {
namespace {

// Runs a search for `shape`; returns the execution that found it, from 1, or 0.
int executions_to_finding(const Shape& shape, const Schedule& schedule, int most,
                          Mend mend = Mend::kNot) {
  FiberRuntime runtime(schedule);
  RunState run;
  for (int execution = 1; execution <= most; ++execution) {
    run_shape(shape, runtime, run, mend);
    if (run.over()) return execution;
    if (!runtime.strategy().next_execution()) break;
  }
  return 0;
}

class Shapes : public testing::TestWithParam<Shape> {};

TEST_P(Shapes, ThePortfolioFindsTheBug) {
  constexpr int kMost = 20'000;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    EXPECT_NE(executions_to_finding(GetParam(), seeded(StrategyKind::kPortfolio, seed),
                                    kMost),
              0)
        << "seed " << seed;
  }
}

TEST_P(Shapes, IsCleanWhenMended) {
  FiberRuntime runtime(seeded(StrategyKind::kPortfolio, 1));
  RunState run;
  for (int i = 0; i < 500; ++i) {
    run_shape(GetParam(), runtime, run, Mend::kDone);
    ASSERT_EQ(run.finding(), std::nullopt) << run.finding()->signature();
    runtime.strategy().next_execution();
  }
}

INSTANTIATE_TEST_SUITE_P(All, Shapes,
                         testing::ValuesIn(shapes().begin(), shapes().end()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace racier
