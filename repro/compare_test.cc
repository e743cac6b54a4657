// repro/compare_test.cc - a program against what a recording is said to prove.
#include "repro/compare.h"

#include <gtest/gtest.h>

#include "core/program/parse.h"

namespace racier::repro {
namespace {

using Sentences = std::vector<std::string>;

constexpr VirtAddr kAt = 0x700000;

// The calls, by number: 0 process, 1 mmap_at, 2 write_at, 3 write_at, 4 exit.
constexpr std::string_view kStory =
    "task A\n"
    "  p0 = process -> ok\n"
    "  m0 = mmap_at p0 0x700000 4 rw private -> ok\n"
    "  write_at p0 0x700008 -> ok fault 0x6\n"
    "  write_at p0 0x700010 -> ok nofault\n"
    "  exit p0 -> ok\n";

// A translation of which call N comes from line 10 + N.
Translation told(std::string_view story) {
  Translation translation;
  const program::Parsed parsed = program::parse(story);
  EXPECT_TRUE(parsed.program) << parsed.error.str("story");
  translation.program = parsed.program.value();
  for (std::size_t call = 0; call < translation.program.calls(); ++call) {
    translation.lines.push_back(static_cast<int>(10 + call));
  }
  return translation;
}

std::string changed(std::string_view from, std::string_view to) {
  std::string story(kStory);
  return story.replace(story.find(from), from.size(), to);
}

Area area(std::uint64_t pages) {
  return {.range = {kAt, kAt + pages * kPageSize}, .access = kVmRead | kVmWrite};
}

TEST(Compare, WhatIsAsRecordedIsCounted) {
  Translation story = told(kStory);
  story.faults.push_back({2, 12, 6, std::nullopt});
  story.vmas.push_back({.call = 1, .process = 0, .line = 11, .areas = {area(4)}});
  story.vmas.push_back({.call = 4, .process = 0, .line = 14, .areas = {}});
  const Comparison comparison = compare(story);
  EXPECT_EQ(comparison.unexplained, Sentences());
  EXPECT_FALSE(comparison.finding);
  EXPECT_EQ(comparison.faults, 1);
  EXPECT_EQ(comparison.faults_equal, 1);
  EXPECT_EQ(comparison.faults_named, 0);
  EXPECT_EQ(comparison.calls, 2);
  EXPECT_EQ(comparison.calls_equal, 2);
  EXPECT_EQ(comparison.vmas, 1);
  EXPECT_EQ(comparison.audits, 1) << "when the process had ended";
  EXPECT_GT(comparison.steps, 20u);
}

TEST(Compare, AFaultWithANameIsCountedApart) {
  Translation story = told(kStory);
  story.faults.push_back(
      {.call = 3, .line = 13, .error_code = 6, .difference = Difference::kFaultAround});
  const Comparison comparison = compare(story);
  EXPECT_EQ(comparison.unexplained, Sentences());
  EXPECT_EQ(comparison.faults_equal, 0);
  EXPECT_EQ(comparison.faults_named, 1);
}

TEST(Compare, AnotherFaultIsUnexplained) {
  Translation story = told(changed("fault 0x6", "fault 0x7"));
  story.faults.push_back({2, 12, 7, std::nullopt});
  const Comparison comparison = compare(story);
  EXPECT_EQ(comparison.unexplained,
            Sentences{"12: recorded fault 0x7, expected ok fault 0x7, "
                      "write_at gave 0x10000000003 fault 0x6"});
  EXPECT_EQ(comparison.faults, 1);
  EXPECT_EQ(comparison.faults_equal + comparison.faults_named, 0);
}

TEST(Compare, AnotherOutcomeIsUnexplained) {
  const Comparison comparison =
      compare(told(changed("private -> ok", "private -> inval")));
  EXPECT_EQ(comparison.unexplained, Sentences{"11: mmap_at gave 0x700000"});
}

TEST(Compare, OtherVmasAreUnexplained) {
  Translation story = told(kStory);
  Area only_read = area(4);
  only_read.access = kVmRead;
  story.vmas.push_back({.call = 1, .process = 0, .line = 21, .areas = {area(3)}});
  story.vmas.push_back({.call = 2, .process = 0, .line = 22, .areas = {only_read}});
  story.vmas.push_back({.call = 3, .process = 0, .line = 23, .areas = {}});
  story.vmas.push_back({.call = 4, .process = 0, .line = 24, .areas = {area(4)}});
  const std::string ours = area(4).str();
  const Comparison comparison = compare(story);
  EXPECT_EQ(comparison.unexplained,
            (Sentences{"21: recorded vma " + area(3).str() + ", ours " + ours,
                       "22: recorded vma " + only_read.str() + ", ours " + ours,
                       "23: recorded vma none, ours " + ours,
                       "24: recorded vma " + ours + ", ours none"}));
  EXPECT_EQ(comparison.calls, 4);
  EXPECT_EQ(comparison.calls_equal, 0);
}

TEST(Compare, TellsOfAFinding) {
  const Comparison comparison =
      compare(told("bug prepare_ptl_before_anonlock\n" + std::string(kStory)));
  ASSERT_TRUE(comparison.finding);
  EXPECT_EQ(comparison.finding->kind, FindingKind::kLockOrder);
}

}  // namespace
}  // namespace racier::repro
