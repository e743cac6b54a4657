// core/program/print_test.cc
#include "core/program/print.h"

#include <gtest/gtest.h>

#include "core/program/generate.h"
#include "core/program/parse.h"

namespace racier::program {
namespace {

// Adds to a random program the parts that generate() leaves out.
Program decorated(std::uint64_t seed) {
  Program program = generate(seed);
  Random random(seed);
  if (random.below(2) == 0) program.header = "A line.\n\nAnother one.";
  if (random.below(2) == 0) program.bugs.arm(static_cast<Bug>(random.below(kBugs)));
  while (random.below(3) == 0) {
    program.drops.push_back({static_cast<SiteKind>(random.below(kSiteKinds)), "mmap.cc",
                             static_cast<std::uint32_t>(random.below(900)) + 1});
  }
  program.machine.swap_slots = static_cast<std::uint32_t>(random.below(100));
  if (random.below(2) == 0) program.setup[0].note = "Why.";
  if (random.below(2) == 0) {
    program.setup[1].expected = {.what = Expected::What::kValue,
                                 .value = random.next()};
  }
  if (random.below(2) == 0) program.schedule_note = "Who comes first.";
  if (random.below(2) == 0) {
    program.schedule = {.strategy = StrategyKind::kReplay,
                        .overrides = {},
                        .switches = {{0, 7, 1}, {1, 3, 2}},
                        .choices = {{2, 0, 9}}};
  }
  if (random.below(2) == 0) {
    program.expectation = {
        .kind = Expectation::Kind::kFinding,
        .finding = static_cast<FindingKind>(random.below(kFindingKinds)),
        .title = random.below(2) == 0 ? "" : "a \"title\\\"\nof two"};
  }
  if (random.below(2) == 0) program.marks.push_back({Mark::kCowCopy, 3});
  return program;
}

TEST(Print, ParsingGivesTheSameProgram) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Program program = decorated(seed);
    const std::string text = print(program);
    const Parsed parsed = parse(text);
    ASSERT_TRUE(parsed.program) << parsed.error.str("") << "\n" << text;
    ASSERT_EQ(*parsed.program, program) << text;
    ASSERT_EQ(print(*parsed.program), text);
  }
}

TEST(Print, OfAnEmptyProgram) { EXPECT_EQ(print(Program()), "setup\nexpect clean\n"); }

TEST(Print, ADepthThatMeansNothingIsLeftOut) {
  Program program;
  program.schedule.strategy = StrategyKind::kPos;
  program.schedule.depth = 3;
  EXPECT_EQ(print(program), "setup\nschedule strategy=pos\nexpect clean\n");
}

TEST(Print, ACommentBeforeTheScheduleIsNotTheHeader) {
  Program program;
  program.schedule_note = "Nothing runs.";
  EXPECT_EQ(parse(print(program)).program, program);
}

}  // namespace
}  // namespace racier::program
