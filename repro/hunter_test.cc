// repro/hunter_test.cc - bugs that are found, and some that cannot be.  No limit here
// is one of time.
#include "repro/hunter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/program/parse.h"
#include "repro/program_file.h"

namespace racier::repro {
namespace {

const bug::Row& named_row(const char* id) { return bug::row(*bug::find(id)); }

program::Program program_of_row(const bug::Row& row) {
  return read_program(std::string(RACIER_SOURCE_DIR "/corpus/bugs/") + row.name +
                      ".racier")
      .program;
}

HuntLimits limits_of(std::uint64_t executions) {
  HuntLimits limits;
  limits.recipe.strategy = StrategyKind::kPortfolio;
  limits.search.executions = executions;
  limits.clean = 50;
  limits.minimize = std::chrono::hours(1);
  return limits;
}

Hunted hunted(const bug::Row& row, const HuntLimits& limits) {
  return hunt(program_of_row(row), row, limits, [](const Hunted&) {});
}

// What does not depend on how fast the machine is.
SearchResult untimed(SearchResult search) {
  search.seconds = 0;
  return search;
}

TEST(Hunter, FindsABugAndMakesItSmall) {
  const bug::Row& row = named_row("B07");
  const Hunted one = hunted(row, limits_of(20'000));
  EXPECT_TRUE(one.clean());
  EXPECT_EQ(one.unarmed.executions, 50u);
  EXPECT_EQ(one.unarmed.end, SearchEnd::kExecutions);
  ASSERT_EQ(one.found(), 1u);
  EXPECT_EQ(one.searches[0].kind, "rmap");
  EXPECT_NE(one.searches[0].title, "");
  ASSERT_TRUE(one.smallest);
  EXPECT_EQ(one.smallest->tasks, 2u);
  EXPECT_LE(one.smallest->calls, program_of_row(row).calls());
  EXPECT_EQ(one.smallest->preemptions, 1u);
}

// Some schedules of this one follow a pointer into freed memory.
TEST(Hunter, MakesSmallWhatMayEndTheProcess) {
  const Hunted hunt = hunted(named_row("B05"), limits_of(200));
  EXPECT_EQ(hunt.found(), 1u);
  EXPECT_TRUE(hunt.smallest);
}

// (Of one that is a data race, too, ThreadSanitizer may name another access.)
TEST(Hunter, OneSeedIsOneResult) {
  HuntLimits limits = limits_of(20'000);
  limits.repeat = 3;
  limits.seed = 5;
  const bug::Row& row = named_row("B07");
  const Hunted one = hunted(row, limits);
  const Hunted other = hunted(row, limits);
  EXPECT_EQ(one.found(), 3u);
  ASSERT_EQ(other.searches.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(one.searches[i].seed, 5 + i);
    EXPECT_EQ(untimed(one.searches[i]), untimed(other.searches[i]));
  }
  EXPECT_EQ(one.smallest, other.smallest);
}

// Of what another thread must interrupt there is nothing to see in the first execution.
TEST(Hunter, SaysWhatItHasNotFound) {
  const Hunted hunt = hunted(named_row("B06"), limits_of(1));
  EXPECT_EQ(hunt.found(), 0u);
  ASSERT_EQ(hunt.searches.size(), 1u);
  EXPECT_EQ(hunt.searches[0].end, SearchEnd::kExecutions);
  EXPECT_EQ(hunt.searches[0].executions, 1u);
  EXPECT_EQ(hunt.searches[0].kind, "");
  EXPECT_EQ(hunt.median(), nullptr);
  EXPECT_FALSE(hunt.smallest);
}

TEST(Hunter, AStrategyMayHaveNoOtherSchedule) {
  HuntLimits limits = limits_of(1'000);
  limits.recipe.strategy = StrategyKind::kRunToBlock;
  const Hunted hunt = hunted(named_row("B06"), limits);
  EXPECT_EQ(hunt.found(), 0u);
  EXPECT_EQ(hunt.searches[0].end, SearchEnd::kExhausted);
  EXPECT_EQ(hunt.searches[0].executions, 1u);
}

// A finding, but not of the kind that the row promises.
TEST(Hunter, AnotherKindIsNotTheBug) {
  bug::Row row = named_row("B10");
  row.shows = FindingKind::kLeak;
  const Hunted hunt = hunted(row, limits_of(20));
  EXPECT_EQ(hunt.found(), 0u);
  EXPECT_GT(hunt.others, 0u);
  EXPECT_EQ(hunt.other.substr(0, 10), "lock-order");
}

// After each stage, as the next may end the process.
TEST(Hunter, TellsWhatThereIsSoFar) {
  const bug::Row& row = named_row("B10");
  std::vector<std::size_t> told;
  bool minimised = false;
  hunt(program_of_row(row), row, limits_of(20), [&](const Hunted& so_far) {
    told.push_back(so_far.searches.size());
    EXPECT_FALSE(minimised);
    minimised = so_far.smallest.has_value();
  });
  EXPECT_EQ(told, (std::vector<std::size_t>{0, 1, 1}));
  EXPECT_TRUE(minimised);
}

// More steps than a run may have are a finding, whatever is armed.
TEST(Hunter, AFindingWithNothingArmedIsAnAlarm) {
  const bug::Row& row = named_row("B10");
  constexpr const char* kLong = R"(
setup
  p0 = process
  m0 = mmap p0 1 rw private
task A
  write p0 m0 0 0
)";
  const program::Program program = *program::parse(kLong).program;
  HuntLimits limits = limits_of(20);
  limits.steps_max = 10;
  const Hunted hunted = hunt(program, row, limits, [](const Hunted&) {});
  EXPECT_FALSE(hunted.clean());
  EXPECT_EQ(hunted.unarmed.kind, "no-progress");
  EXPECT_EQ(hunted.unarmed.executions, 1u);
}

TEST(Hunter, ADeathIsUseAfterFreeAtMost) {
  const bug::Row& uaf = named_row("B09");
  ASSERT_EQ(uaf.shows, FindingKind::kUseAfterFree);
  EXPECT_TRUE(is_shown_by_death(uaf, "signal 11"));
  EXPECT_TRUE(is_shown_by_death(uaf, "exit code 1, SUMMARY: AddressSanitizer: SEGV"));
  EXPECT_FALSE(is_shown_by_death(uaf, "signal 6"));
  EXPECT_FALSE(is_shown_by_death(uaf, "it took too long"));
  EXPECT_FALSE(is_shown_by_death(named_row("B10"), "signal 11"));
}

TEST(Hunter, MinimisesNothingInNoTime) {
  HuntLimits limits = limits_of(20);
  limits.minimize = {};
  const Hunted hunt = hunted(named_row("B10"), limits);
  EXPECT_EQ(hunt.found(), 1u);
  EXPECT_FALSE(hunt.smallest);
}

TEST(Hunter, TheMedianIsTheLowerMiddle) {
  Hunted hunt;
  EXPECT_EQ(hunt.median(), nullptr);
  const auto add = [&](std::uint64_t executions, SearchEnd end) {
    SearchResult search;
    search.executions = executions;
    search.end = end;
    hunt.searches.push_back(search);
  };
  add(30, SearchEnd::kFound);
  add(1, SearchEnd::kTime);
  EXPECT_EQ(hunt.median()->executions, 30u);
  add(2, SearchEnd::kStopped);
  EXPECT_EQ(hunt.median(), nullptr);
  add(10, SearchEnd::kFound);
  EXPECT_EQ(hunt.median()->executions, 30u);
  EXPECT_EQ(hunt.found(), 2u);
}

TEST(Hunter, TheScheduleOfTheFileIsNotUsed) {
  const program::Program program =
      without_its_schedule(program_of_row(named_row("B09")));
  EXPECT_EQ(program.schedule, Schedule());
  EXPECT_TRUE(program.bugs.empty());
  EXPECT_EQ(program.expectation.kind, program::Expectation::Kind::kAny);
}

}  // namespace
}  // namespace racier::repro
