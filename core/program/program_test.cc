// core/program/program_test.cc
#include "core/program/program.h"

#include <gtest/gtest.h>

#include "core/program/generate.h"
#include "core/program/ops.h"

namespace racier::program {
namespace {

TEST(Program, TasksAreNamed) {
  EXPECT_EQ(task_name(0, 2), "A");
  EXPECT_EQ(task_name(2, 2), "rcu");
  EXPECT_EQ(find_task("B", 2), 1);
  EXPECT_EQ(find_task("rcu", 2), 2);
  EXPECT_EQ(find_task("C", 2), std::nullopt);
}

TEST(Program, CountsItsVariables) {
  Program program;
  program.machine.files = 3;
  program.setup.resize(2);
  program.setup[0].op = *find_op("process");
  program.setup[1].op = *find_op("mmap");
  program.tasks.resize(1);
  program.tasks[0].resize(1);
  program.tasks[0][0].op = *find_op("fork");
  const Scope scope = scope_of(program);
  EXPECT_EQ(scope.of(Variable::kProcess), 2u);
  EXPECT_EQ(scope.of(Variable::kMapping), 1u);
  EXPECT_EQ(scope.of(Variable::kFile), 3u);
}

TEST(Validate, ListsAllProblems) {
  Program program = generate(1);
  program.machine.frames = 3;
  program.machine.rmap = "hope";
  program.setup[1].arguments = {99, 0, 8, 2, 0, 5};
  program.setup[0].expected = Expected();
  program.schedule = {.strategy = StrategyKind::kPos,
                      .overrides = {},
                      .switches = {{0, 1, 9}},
                      .choices = {{7, 0, 0}}};
  EXPECT_EQ(validate(program).size(), 11u);
}

TEST(Validate, AnOpThatDoesNotExist) {
  Program program = generate(1);
  program.setup[0].op = 1000;
  EXPECT_EQ(validate(program), std::vector<std::string>{"there is no op 1000"});
}

TEST(Validate, TooManyTasks) {
  Program program;
  program.tasks.resize(9);
  EXPECT_EQ(validate(program), std::vector<std::string>{"more than 8 tasks"});
}

}  // namespace
}  // namespace racier::program
