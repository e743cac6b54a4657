// core/program/runner_test.cc
#include "core/program/runner.h"

#include <gtest/gtest.h>

#include "core/program/generate.h"
#include "core/program/parse.h"
#include "core/program/print.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/native_runtime.h"
#include "core/runtime/run_alone.h"

namespace racier::program {
namespace {

Program program_of(std::string_view text) {
  const Parsed parsed = parse(text);
  EXPECT_TRUE(parsed.program) << parsed.error.str("");
  return parsed.program.value_or(Program());
}

constexpr std::string_view kClean = R"(setup
  p0 = process
  m0 = mmap p0 2 rw private
task A
  write p0 m0 0 0
  read - m0 0 0
task B
  read p0 m0 0 0
)";

constexpr std::string_view kFails = R"(bug prepare_ptl_before_anonlock
setup
  p0 = process
  m0 = mmap p0 2 rw private
task A
  write p0 m0 0 0
  write p0 m0 1 0
task B
  p1 = fork p0
)";

class RunnerTest : public ::testing::Test {
 protected:
  const RunResult& run(std::string_view text, const RunOptions& options = {}) {
    program_ = program_of(text);
    return runner_.run(program_, runtime_, options);
  }

  FiberRuntime alone_;
  Runner runner_{alone_};
  FiberRuntime runtime_;
  Program program_;
};

TEST_F(RunnerTest, TellsWhatCameOfEachCall) {
  const RunResult& result = run(kClean);
  EXPECT_FALSE(result.finding) << result.finding->signature() << result.finding->detail;
  EXPECT_EQ(result.phase, Phase::kLeakAudit);
  ASSERT_EQ(result.outcomes.size(), 5u);
  EXPECT_EQ(result.outcomes[0], Outcome::of(Status::kOk));
  EXPECT_EQ(result.outcomes[2].str(), "0x10000000003 fault 0x6");
  EXPECT_EQ(result.outcomes[3].str(), "skipped");
  EXPECT_EQ(result.skipped, 1u);
  EXPECT_GT(result.steps, 20u);
}

TEST_F(RunnerTest, AFindingEndsTheRun) {
  const RunResult& result = run(kFails);
  ASSERT_TRUE(result.finding);
  EXPECT_EQ(result.finding->kind, FindingKind::kLockOrder);
  EXPECT_EQ(result.finding->task, 0);
  EXPECT_EQ(result.phase, Phase::kTasks);
  EXPECT_EQ(result.outcomes[2].str(), "not run");
}

TEST_F(RunnerTest, AFindingOfTheSetupIsToldAsSuch) {
  const RunResult& result = run(R"(bug B10
setup
  p0 = process
  m0 = mmap p0 2 rw private
  write p0 m0 0 0
task A
  read p0 m0 0 0
)");
  ASSERT_TRUE(result.finding);
  EXPECT_EQ(result.phase, Phase::kSetup);
  EXPECT_EQ(result.steps, 0u);
}

TEST_F(RunnerTest, AFailedRunLeavesNothingBehind) {
  const RunResult clean = run(kClean);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(run(kFails).finding);
    const RunResult& again = run(kClean);
    ASSERT_FALSE(again.finding) << again.finding->signature();
    ASSERT_EQ(again.outcomes, clean.outcomes);
    ASSERT_EQ(again.steps, clean.steps);
    ASSERT_EQ(again.marks, clean.marks);
  }
}

TEST_F(RunnerTest, BugsAreArmedAndDisarmed) {
  RunOptions armed;
  armed.bugs.arm(Bug::kPreparePtlBeforeAnonLock);
  EXPECT_TRUE(run(kClean, armed).finding);
  EXPECT_FALSE(run(kClean).finding);
  RunOptions disarmed;
  disarmed.disarmed.arm(Bug::kPreparePtlBeforeAnonLock);
  EXPECT_FALSE(run(kFails, disarmed).finding);
}

TEST_F(RunnerTest, KeepsAMachineForEachKind) {
  Program program = program_of(kClean);
  for (std::uint32_t frames = 32; frames < 52; ++frames) {
    program.machine.frames = frames;
    EXPECT_FALSE(runner_.run(program, runtime_, {}).finding);
    EXPECT_EQ(runner_.machine()->options().frames, frames);
  }
  program.machine.frames = 32;
  EXPECT_FALSE(runner_.run(program, runtime_, {}).finding);
}

TEST_F(RunnerTest, RunsWithoutTasksAndWithoutSetup) {
  EXPECT_FALSE(run("").finding);
  EXPECT_FALSE(run("setup\n p = process").finding);
  EXPECT_FALSE(run("task A\n p = process\ntask B\ntask C").finding);
}

TEST_F(RunnerTest, EightTasks) {
  std::string text = "setup\n p = process\n m = mmap p 8 rw private\n";
  for (char task = 'A'; task <= 'H'; ++task) {
    text +=
        std::string("task ") + task + "\n write p m 0 0\n fork p\n unmap_page p m 0\n";
  }
  runtime_.set_schedule(pos_seed(1));
  const RunResult& result = run(text);
  EXPECT_FALSE(result.finding) << result.finding->signature() << result.finding->detail;
}

TEST_F(RunnerTest, NativeThreads) {
  NativeRuntime native;
  Program program = program_of(kClean);
  RunOptions options;
  options.watch = false;
  for (int i = 0; i < 20; ++i) {
    const RunResult& result = runner_.run(program, native, options);
    ASSERT_FALSE(result.finding)
        << result.finding->signature() << result.finding->detail;
  }
}

TEST_F(RunnerTest, RandomProgramsAreClean) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const Program program = generate(seed);
    runtime_.set_schedule(program.schedule);
    const RunResult& result = runner_.run(program, runtime_, {});
    ASSERT_FALSE(result.finding) << "seed " << seed << ", " << phase_name(result.phase)
                                 << ": " << result.finding->signature() << "\n"
                                 << result.finding->detail << "\n"
                                 << print(program);
  }
}

// ---- Verdicts
// -------------------------------------------------------------------------

struct RunRow {
  const char* lines;  // behind kClean
  const char* problem;
};

TEST_F(RunnerTest, JudgesARunByItsProgram) {
  const std::vector<RunRow> rows = {
      {"expect clean\n", ""},
      {"expect any\n", ""},
      {"expect finding rmap\n", "expected `rmap | any`, the run was clean"},
      {"mark cow_copy >= 0x2\n", "mark cow_copy: expected at least 2, was 0"},
      {"task C\n  exit p0 -> skipped\n", "task C: `exit p0 -> skipped` gave ok"},
      {"task C\n  m = mmap p0 1 r private -> inval\n", nullptr},
  };
  for (const RunRow& row : rows) {
    const RunResult& result = run(std::string(kClean) + row.lines);
    const Verdict verdict = judge(program_, result);
    if (row.problem == nullptr) {
      EXPECT_FALSE(verdict.met());
    } else {
      EXPECT_EQ(verdict.met() ? "" : verdict.problems[0], row.problem);
    }
  }
  const RunResult& result = run(kFails);
  EXPECT_NE(judge(program_, result).problems.at(0).find("expected a clean run, found"),
            std::string::npos);
}

TEST_F(RunnerTest, RewritesOutcomes) {
  const RunResult& result = run(std::string(kClean) + "task C\n  exit p0 -> skipped\n");
  rewrite_outcomes(program_, result);
  EXPECT_TRUE(judge(program_, result).met());
  EXPECT_EQ(program_.tasks[2][0].expected->str(), "ok");
}

}  // namespace
}  // namespace racier::program
