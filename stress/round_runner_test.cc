// stress/round_runner_test.cc - tests of round_runner.h and of what a failed round
// leaves.
#include "stress/round_runner.h"

#include <gtest/gtest.h>

#include "core/program/parse.h"
#include "stress/finding_text.h"
#include "stress/workload.h"

namespace racier::stress {
namespace {

RoundOptions options(BugSet bugs = {}) {
  return {3, 0, find_workload("mixed"), 3, "", bugs};
}

TEST(RoundRunner, CountsCalls) {
  RoundRunner runner;
  const auto program = round_program(options());
  const RoundResult result = runner.run(program, 1, 0);
  EXPECT_FALSE(result.finding) << result.finding->signature() << result.finding->detail;
  EXPECT_EQ(runner.counts().total(), program.calls() - program.setup.size());
  EXPECT_EQ(runner.counts().of(0), program.tasks[0].size());
  EXPECT_EQ(runner.counts().of(3), 0u);
  EXPECT_EQ(result.tally.done() + result.tally.skipped, runner.counts().total());
}

TEST(RoundRunner, RunsOneAfterTheOtherWhateverCame) {
  BugSet bugs;
  bugs.arm(Bug::kPreparePtlBeforeAnonLock);
  RoundRunner runner;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(runner.run(round_program(options(bugs)), 1, 100).finding);
    EXPECT_FALSE(runner.run(round_program(options()), 1, 100).finding);
  }
}

// The text that a failed round leaves: whoever runs it on fibers finds the same.
TEST(RoundRunner, AFailedRoundReplaysOnFibers) {
  BugSet bugs;
  bugs.arm(Bug::kPreparePtlBeforeAnonLock);
  const auto failed = round_program(options(bugs));
  RoundRunner threads;
  const RoundResult result = threads.run(failed, 1, 0);
  ASSERT_TRUE(result.finding);
  EXPECT_EQ(result.finding->kind, FindingKind::kLockOrder);

  const std::string text =
      finding_program(failed, *result.finding, result.phase, "racier stress --round 0");
  EXPECT_NE(text.find("# racier stress --round 0"), text.npos) << text.substr(0, 1000);
  const auto parsed = program::parse(text);
  ASSERT_TRUE(parsed.program) << parsed.error.str("text");
  FiberRuntime alone, runtime(parsed.program->schedule);
  program::Runner runner(alone);
  const auto& replayed = runner.run(*parsed.program, runtime, {});
  EXPECT_EQ(program::judge(*parsed.program, replayed).problems,
            std::vector<std::string>());
  ASSERT_TRUE(replayed.finding);
  EXPECT_EQ(replayed.finding->signature(), result.finding->signature());
}

}  // namespace
}  // namespace racier::stress
