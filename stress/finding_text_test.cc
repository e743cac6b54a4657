// stress/finding_text_test.cc - tests of finding_text.h.
#include "stress/finding_text.h"

#include <gtest/gtest.h>

#include "core/program/parse.h"

namespace racier::stress {
namespace {

Finding finding_here() {
  Finding finding;
  finding.kind = FindingKind::kRmap;
  finding.title = "R1: a walk missed a mapping";
  finding.detail = "page 5\nmm 1\n\n";
  finding.task = 1;
  finding.where = std::source_location::current();
  return finding;
}

TEST(FindingText, OneSlugForEachSignature) {
  const Finding finding = finding_here();
  EXPECT_EQ(finding_slug(finding), slug_of("rmap", finding.title));
  EXPECT_NE(slug_of("rmap", "a"), slug_of("rmap", "b"));
  EXPECT_NE(slug_of("rmap", "a"), slug_of("data", "a"));
  // The names of folders that are there: they must not change.
  EXPECT_EQ(slug_of("rmap", "a"), "rmap-341dd284cd834f82");
}

TEST(FindingText, AReportSaysWhatWhoAndWhere) {
  const Finding finding = finding_here();
  EXPECT_EQ(finding_report(finding, program::Phase::kTasks),
            "rmap | R1: a walk missed a mapping\n"
            "in the tasks, by task B, at finding_here (finding_text_test.cc:" +
                std::to_string(finding.where.line()) + ")\npage 5\nmm 1");
}

TEST(FindingText, NobodyAndNowhereAreNotNamed) {
  Finding finding = finding_here();
  finding.where = std::source_location();
  EXPECT_EQ(finding_report(finding, program::Phase::kTeardown).find("by task"),
            std::string::npos)
      << "teardown is nobody's";
  finding.task = -1;
  finding.detail.clear();
  EXPECT_EQ(finding_report(finding, program::Phase::kTasks),
            "rmap | R1: a walk missed a mapping\nin the tasks");
}

TEST(FindingText, AProgramTellsItsStoryAndIsAProgram) {
  const auto parsed = program::parse("setup\n  p0 = process\ntask A\n  fork p0\n");
  ASSERT_TRUE(parsed.program) << parsed.error.str("text");
  const Finding finding = finding_here();
  const std::string text = finding_program(*parsed.program, finding,
                                           program::Phase::kTasks, "racier stress -x");
  EXPECT_TRUE(text.starts_with("# rmap | R1: a walk missed a mapping\n# in the tasks"))
      << text;
  EXPECT_NE(text.find("\n# racier stress -x\n"), text.npos) << text;
  const auto again = program::parse(text);
  ASSERT_TRUE(again.program) << again.error.str("text") << text;
  EXPECT_EQ(again.program->tasks, parsed.program->tasks);
  EXPECT_EQ(again.program->expectation.kind, program::Expectation::Kind::kFinding);
  EXPECT_EQ(again.program->expectation.finding, FindingKind::kRmap);
  EXPECT_EQ(again.program->expectation.title, finding.title);
}

}  // namespace
}  // namespace racier::stress
