// core/program/mutate_test.cc
#include "core/program/mutate.h"

#include <gtest/gtest.h>

#include "core/program/bytes.h"
#include "core/program/generate.h"
#include "core/program/print.h"

namespace racier::program {
namespace {

void expect_good(const Program& program) {
  const auto problems = validate(program);
  ASSERT_TRUE(problems.empty()) << problems[0] << "\n" << print(program);
  ASSERT_EQ(decode(encode(program)), program) << print(program);
}

TEST(Mutate, KeepsProgramsValid) {
  Random random(1);
  Program program = generate(1);
  for (int i = 0; i < 1500; ++i) {
    mutate(program, random);
    ASSERT_NO_FATAL_FAILURE(expect_good(program));
  }
}

TEST(Mutate, MakesSomethingOfNothing) {
  Random random(2);
  Program program;
  for (int i = 0; i < 100; ++i) mutate_calls(program, random);
  EXPECT_GT(program.calls(), 0u);
}

TEST(Mutate, TheScheduleAlone) {
  Random random(3);
  const Program before = generate(3);
  int changed = 0;
  for (int i = 0; i < 100; ++i) {
    Program program = before;
    mutate_schedule(program, random);
    changed += program.schedule == before.schedule ? 0 : 1;
    program.schedule = before.schedule;
    ASSERT_EQ(program, before);
  }
  EXPECT_GT(changed, 80);
}

TEST(Mutate, TheCallsAlone) {
  Random random(4);
  const Program before = generate(4);
  int changed = 0;
  for (int i = 0; i < 100; ++i) {
    Program program = before;
    mutate_calls(program, random);
    ASSERT_EQ(program.schedule, before.schedule);
    changed += program == before ? 0 : 1;
  }
  EXPECT_GT(changed, 80);
}

TEST(Mutate, TheSameNumbersGiveTheSameChange) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Program one = generate(seed);
    Program two = one;
    Random random_one(seed);
    Random random_two(seed);
    for (int i = 0; i < 5; ++i) {
      mutate(one, random_one);
      mutate(two, random_two);
    }
    ASSERT_EQ(one, two);
  }
}

TEST(Mutate, AReplayedScheduleToo) {
  Random random(5);
  Program program = generate(5);
  program.schedule = {.strategy = StrategyKind::kReplay,
                      .overrides = {},
                      .switches = {{0, 3, 1}},
                      .choices = {}};
  for (int i = 0; i < 500; ++i) {
    mutate_schedule(program, random);
    ASSERT_NO_FATAL_FAILURE(expect_good(program));
  }
}

TEST(Cross, KeepsProgramsValid) {
  Random random(6);
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Program a = generate(seed);
    const Program b = generate(seed + 1000, {.machine = {}, .tasks = 3});
    ASSERT_NO_FATAL_FAILURE(expect_good(cross(a, b, random)));
  }
}

}  // namespace
}  // namespace racier::program
