// core/program/edit_test.cc
#include "core/program/edit.h"

#include <gtest/gtest.h>

#include "core/program/generate.h"
#include "core/program/ops.h"
#include "core/program/parse.h"
#include "core/program/print.h"

namespace racier::program {
namespace {

Program program_of(std::string_view text) {
  const Parsed parsed = parse(text);
  EXPECT_TRUE(parsed.program) << parsed.error.str("");
  return parsed.program.value_or(Program());
}

constexpr std::string_view kText = R"(setup
  a = process
  b = process
  m = mmap b 1 rw private
task A
  exit a
  c = fork b
task B
  exit c
  write b m 0 0
schedule
  A 1 -> B
  B 2 -> rcu
  choose B 0 = 1
)";

// Returns the calls of the tasks, and what the references of theirs mean.
std::string tasks_of(const Program& program) {
  const std::string text = print(program);
  return text.substr(text.find("task A"), text.find("expect") - text.find("task A"));
}

TEST(Edit, ACallThatComesMovesTheNumbersBehindIt) {
  Program program = program_of(kText);
  Call call;
  call.op = *find_op("process");
  insert_call(program, {0, 1}, call);
  EXPECT_EQ(tasks_of(program), R"(task A
  exit p0
  p3 = fork p2
task B
  exit p3
  write p2 m0 0 0
schedule
  A 1 -> B
  B 2 -> rcu
  choose B 0 = 1
)");
}

TEST(Edit, ACallThatGoesLeavesReferencesToNothing) {
  Program program = program_of(kText);
  erase_call(program, {0, 1});
  EXPECT_EQ(tasks_of(program), R"(task A
  exit p0
  p1 = fork -
task B
  exit p1
  write - m0 0 0
schedule
  A 1 -> B
  B 2 -> rcu
  choose B 0 = 1
)");
}

TEST(Edit, ACallThatMovesKeepsWhatRefersToIt) {
  Program program = program_of(kText);
  move_call(program, {0, 0}, {2, 1});  // a: now the last of all processes
  EXPECT_EQ(tasks_of(program), R"(task A
  exit p2
  p1 = fork p0
task B
  exit p1
  p2 = process
  write p0 m0 0 0
schedule
  A 1 -> B
  B 2 -> rcu
  choose B 0 = 1
)");
}

TEST(Edit, ATaskThatGoesTakesItsSwitchesWithIt) {
  Program program = program_of(kText);
  erase_task(program, 0);
  EXPECT_EQ(tasks_of(program), R"(task A
  exit -
  write p1 m0 0 0
schedule
  A 2 -> rcu
  choose A 0 = 1
)");
}

TEST(Edit, BackAndForthIsNoChange) {
  Random random(1);
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Program before = generate(seed);
    Program program = before;
    const CallPlace from{1, random.below(program.tasks[0].size())};
    const CallPlace to{static_cast<int>(random.below(3)), 0};
    move_call(program, from, to);
    move_call(program, to, from);
    ASSERT_EQ(program, before);
    insert_call(program, to, draw_call(random, scope_of(program)));
    erase_call(program, to);
    ASSERT_EQ(program, before);
  }
}

}  // namespace
}  // namespace racier::program
