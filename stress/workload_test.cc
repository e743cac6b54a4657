// stress/workload_test.cc - tests of workload.h.
#include "stress/workload.h"

#include <gtest/gtest.h>

#include <set>

#include "core/program/machine_keys.h"
#include "core/program/ops.h"
#include "core/program/parse.h"
#include "core/program/print.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"

namespace racier::stress {
namespace {

RoundOptions options(const Workload& workload, std::uint64_t round = 0,
                     int threads = 3) {
  return {7, round, &workload, threads, "", {}};
}

TEST(Workload, TheSameRoundIsTheSameProgram) {
  for (const Workload& workload : workloads()) {
    const auto program = round_program(options(workload, 5));
    EXPECT_EQ(program, round_program(options(workload, 5)));
    EXPECT_NE(program, round_program(options(workload, 6)));
  }
}

TEST(Workload, MakesValidProgramsThatTextsHold) {
  for (const Workload& workload : workloads()) {
    for (const int threads : {1, 2, 8}) {
      const auto program = round_program(options(workload, 1, threads));
      EXPECT_EQ(program::validate(program), std::vector<std::string>())
          << workload.name;
      EXPECT_EQ(program.tasks.size(), static_cast<std::size_t>(threads));
      for (const auto& calls : program.tasks) EXPECT_EQ(calls.size(), workload.calls);
      EXPECT_EQ(program::parse(program::print(program)).program, program);
    }
  }
}

TEST(Workload, WordsThatAreAddedToAreNotLoaded) {
  const auto program = round_program(options(*find_workload("mixed")));
  for (int list = 1; list < program.lists(); ++list) {
    for (const auto& call : program.list(list)) {
      const std::string_view op = program::op_of(call).name;
      if (op == "add") EXPECT_GE(call.arguments[3], 6u);
      if (op == "read" || op == "write") EXPECT_LT(call.arguments[3], 6u);
    }
  }
}

TEST(Workload, DrawsWhatItSaysOfTheMachine) {
  std::set<VmaLookup> lookups;
  std::set<bool> split;
  for (std::uint64_t round = 0; round < 40; ++round) {
    const auto drawn = round_program(options(*find_workload("lookup"), round)).machine;
    lookups.insert(drawn.period.lookup);
    split.insert(drawn.period.split_ptl);
    EXPECT_FALSE(round_program(options(*find_workload("fault"), round))
                     .machine.period.split_ptl);
  }
  EXPECT_EQ(lookups.size(), program::machine_key("lookup").last() + 1);
  EXPECT_EQ(split.size(), 2u);
}

// On fibers, one task after the other as far as they go: clean, and most calls do
// something.
TEST(Workload, RunsCleanlyAndDoesSomething) {
  FiberRuntime alone;
  program::Runner runner(alone);
  for (const Workload& workload : workloads()) {
    auto program = round_program(options(workload, 2));
    program.schedule = {};
    FiberRuntime runtime;
    program::RunOptions run_options;
    run_options.watch = false;
    const auto& result = runner.run(program, runtime, run_options);
    ASSERT_FALSE(result.finding)
        << workload.name << ": " << result.finding->signature();
    std::size_t succeeded = 0;
    for (const auto& outcome : result.outcomes) {
      succeeded += outcome.succeeded() ? 1 : 0;
    }
    EXPECT_LT(result.skipped, result.outcomes.size() / 2) << workload.name;
    EXPECT_GT(succeeded, result.outcomes.size() / 3) << workload.name;
  }
}

}  // namespace
}  // namespace racier::stress
