// repro/posted_hunt_test.cc - patches as they were mailed, and when they go wrong.
#include "repro/posted_hunt.h"

#include <gtest/gtest.h>

#include <string>

#include "repro/posted_text.h"
#include "repro/program_file.h"

namespace racier::repro {
namespace {

const program::AsPosted& patch_of(const char* name) {
  return *program::find_as_posted(name);
}

std::vector<std::string> names_of(const char* patch) {
  std::vector<std::string> names;
  for (const PostedPeriod& period : periods_of(patch_of(patch))) {
    names.push_back(period.name);
  }
  return names;
}

Posted posted(const char* patch, const char* id, const char* period,
              std::uint64_t executions) {
  const bug::Row& row = bug::row(*bug::find(id));
  HuntLimits limits;
  limits.recipe.strategy = StrategyKind::kPortfolio;
  limits.search.executions = executions;
  limits.clean = 20;
  for (const PostedPeriod& each : periods_of(patch_of(patch))) {
    if (each.name != period) continue;
    return hunt_posted(read_program(std::string(RACIER_SOURCE_DIR "/corpus/bugs/") +
                                    row.name + ".racier")
                           .program,
                       patch_of(patch), each, row, limits, Armed::kAll);
  }
  ADD_FAILURE() << period;
  return {};
}

TEST(PostedHunt, ATimeIsItsOwnOrALaterOne) {
  EXPECT_EQ(
      names_of("davem"),
      (std::vector<std::string>{"its time", "fault=shared", "ptl=split",
                                "swap_lock=global", "gather=preemptible", "rcu=preempt",
                                "unmap=batched", "lookup=per_vma", "all of these"}));
  EXPECT_EQ(names_of("lameter"),
            (std::vector<std::string>{"its time", "ptl=mm", "gather=preemptible",
                                      "rcu=preempt", "unmap=batched", "lookup=per_vma",
                                      "all of these"}));
  // Its own way to find a vma is what it is about.
  for (const PostedPeriod& period : periods_of(patch_of("kamezawa"))) {
    EXPECT_EQ(period.period.lookup, VmaLookup::kKamezawa) << period.name;
  }
}

// A fault held mmap_sem alone then.
TEST(PostedHunt, ALackMayShowLaterOnly) {
  const Posted then = posted("davem", "B23", "its time", 300);
  EXPECT_FALSE(then.shown.found()) << then.shown.title;
  EXPECT_FALSE(then.unarmed.found()) << then.unarmed.title;
  const Posted later = posted("davem", "B23", "fault=shared", 2000);
  EXPECT_EQ(later.shown.kind, "rmap");
  EXPECT_FALSE(later.unarmed.found()) << later.unarmed.title;
}

// What other rows show in each run does not hide a row.
TEST(PostedHunt, ARowMayBeShownAlone) {
  const Posted before = posted("lameter", "B03", "ptl=mm", 2000);
  EXPECT_EQ(before.shown.kind, "atomic-sleep");
  EXPECT_TRUE(before.alone);
  const Posted first = posted("lameter", "B04", "its time", 2000);
  EXPECT_EQ(first.shown.kind, "lock-use");
  EXPECT_FALSE(first.alone);
}

// mmu_gather can be preempted since 3.0.
TEST(PostedHunt, ALaterTimeMayForgive) {
  EXPECT_FALSE(posted("lameter", "B03", "gather=preemptible", 300).shown.found());
}

PostedTable table_of(SearchEnd end, SearchEnd unarmed) {
  const bug::Row& row = bug::row(*bug::find("B02"));
  PostedTable table{&patch_of("lameter"), {&row}, periods_of(patch_of("lameter")), {}};
  for (std::size_t period = 0; period < 2; ++period) {
    Posted posted;
    posted.shown = {1, 9, 0.5, SearchEnd::kExecutions, "", ""};
    posted.unarmed = {1, 20, 0.5, SearchEnd::kExecutions, "", ""};
    if (period == 1) posted.shown.end = end;
    if (period == 1) posted.unarmed.end = unarmed;
    if (posted.shown.found()) posted.shown.kind = "rmap";
    if (posted.unarmed.found()) posted.unarmed.title = "a title";
    table.cells.push_back({&row, period, posted, ""});
  }
  return table;
}

TEST(PostedHunt, ATableHasALineForEachPeriod) {
  const PostedTable table = table_of(SearchEnd::kFound, SearchEnd::kExecutions);
  EXPECT_TRUE(table.as_expected());
  const std::string text = posted_text(table);
  EXPECT_NE(text.find("\nperiod    B02\n"
                      "its time  - (9)\n"
                      "ptl=mm    rmap 9\n"),
            text.npos)
      << text;
  EXPECT_EQ(text.find("NOT"), text.npos) << text;
  EXPECT_EQ(posted_json(table).at("cells").size(), 2u);
  const Posted& last = *table.cells.back().posted;
  EXPECT_EQ(posted_of(json_of(last)), last);
}

TEST(PostedHunt, WhatNeverShowsIsSaidAndWhatNobodyArmed) {
  const PostedTable never = table_of(SearchEnd::kTime, SearchEnd::kExecutions);
  EXPECT_FALSE(never.as_expected());
  EXPECT_NE(posted_text(never).find("NOT FOUND: B02 migrate_null_grab_unpinned"),
            std::string::npos);
  const PostedTable alarm = table_of(SearchEnd::kFound, SearchEnd::kFound);
  EXPECT_FALSE(alarm.as_expected());
  EXPECT_NE(posted_text(alarm).find("NOT ARMED, AND FOUND: B02 "), std::string::npos);
}

}  // namespace
}  // namespace racier::repro
