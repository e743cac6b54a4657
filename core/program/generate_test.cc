// core/program/generate_test.cc
#include "core/program/generate.h"

#include <gtest/gtest.h>

#include <set>

#include "core/program/ops.h"
#include "core/program/print.h"

namespace racier::program {
namespace {

TEST(Generate, GivesValidPrograms) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Program program = generate(seed);
    const auto problems = validate(program);
    ASSERT_TRUE(problems.empty()) << problems[0] << "\n" << print(program);
  }
}

TEST(Generate, TheSameSeedGivesTheSameProgram) {
  EXPECT_EQ(generate(7), generate(7));
  EXPECT_NE(generate(7), generate(8));
}

TEST(Generate, DrawsEveryOpThatHasAWeight) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Program program = generate(seed);
    for (int list = 0; list < program.lists(); ++list) {
      for (const Call& call : program.list(list)) seen.insert(op_of(call).name);
    }
  }
  for (const Op& op : op_table())
    EXPECT_EQ(seen.contains(op.name), op.weight > 0) << op.name;
}

TEST(Generate, WeightsTakeTheOpsPlaces) {
  constexpr OpWeight kWeights[] = {{"fork", 1}, {"exit", 1}};
  const Program program =
      generate(1, {.machine = {}, .tasks = 3, .task_calls = 20, .weights = kWeights});
  ASSERT_EQ(program.tasks.size(), 3u);
  for (const Calls& calls : program.tasks) {
    EXPECT_EQ(calls.size(), 20u);
    for (const Call& call : calls) {
      const std::string name = op_of(call).name;
      EXPECT_TRUE(name == "fork" || name == "exit") << name;
    }
  }
}

}  // namespace
}  // namespace racier::program
