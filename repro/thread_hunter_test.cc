// repro/thread_hunter_test.cc - bugs that every round shows, and what is none.  No
// limit here is one of time.
#include "repro/thread_hunter.h"

#include <gtest/gtest.h>

#include "core/program/parse.h"
#include "repro/program_file.h"

namespace racier::repro {
namespace {

// B10: whoever makes its calls takes two locks in the wrong order.
const bug::Row& wrong_order() { return bug::row(*bug::find("B10")); }

program::Program program_with_wrong_order() {
  return read_program(RACIER_SOURCE_DIR
                      "/corpus/bugs/prepare_ptl_before_anonlock.racier")
      .program;
}

HuntLimits rounds(std::uint64_t count) {
  HuntLimits limits;
  limits.search.executions = count;
  limits.clean = 10;
  return limits;
}

Hunted hunted(const program::Program& program, const bug::Row& row,
              const HuntLimits& limits) {
  return hunt_on_threads(program, row, limits, [](const Hunted&) {});
}

TEST(ThreadHunter, FindsWhatEveryRoundShows) {
  HuntLimits limits = rounds(20);
  limits.repeat = 2;
  limits.seed = 5;
  const Hunted hunt = hunted(program_with_wrong_order(), wrong_order(), limits);
  EXPECT_TRUE(hunt.clean());
  EXPECT_EQ(hunt.unarmed.executions, 10u);
  ASSERT_EQ(hunt.found(), 2u);
  EXPECT_EQ(hunt.searches[0].executions, 1u);
  EXPECT_EQ(hunt.searches[0].kind, "lock-order");
  EXPECT_NE(hunt.searches[0].title, "");
  EXPECT_EQ(hunt.searches[1].seed, 6u);
  EXPECT_EQ(hunt.others, 0u);
}

// The program is not one of that bug.
TEST(ThreadHunter, IsCleanWhereThereIsNoBug) {
  const Hunted hunt =
      hunted(program_with_wrong_order(), bug::row(*bug::find("B55")), rounds(20));
  EXPECT_EQ(hunt.found(), 0u);
  ASSERT_EQ(hunt.searches.size(), 1u);
  EXPECT_EQ(hunt.searches[0].executions, 20u);
  EXPECT_EQ(hunt.searches[0].end, SearchEnd::kExecutions);
  EXPECT_EQ(hunt.others, 0u);
}

TEST(ThreadHunter, AnotherKindIsNotTheBug) {
  bug::Row row = wrong_order();
  row.shows = FindingKind::kLeak;
  const Hunted hunt = hunted(program_with_wrong_order(), row, rounds(20));
  EXPECT_EQ(hunt.found(), 0u);
  EXPECT_EQ(hunt.searches[0].executions, 20u);
  EXPECT_EQ(hunt.others, 20u);
  EXPECT_EQ(hunt.other.substr(0, 10), "lock-order");
}

// The audit of what was loaded cannot follow what is added to.
TEST(ThreadHunter, DoesNotSearchWhatTheAuditsCannotJudge) {
  const auto parsed = program::parse(R"(
setup
  p0 = process
  m0 = mmap p0 1 rw private
task A
  add p0 m0 0 0
  read p0 m0 0 0
)");
  ASSERT_TRUE(parsed.program);
  const Hunted hunt = hunted(*parsed.program, wrong_order(), rounds(20));
  EXPECT_FALSE(hunt.clean());
  EXPECT_EQ(hunt.unarmed.executions, 1u);
  EXPECT_EQ(hunt.unarmed.kind, "data");
  EXPECT_TRUE(hunt.searches.empty());
}

TEST(ThreadHunter, TellsWhatThereIsSoFar) {
  std::vector<std::size_t> told;
  hunt_on_threads(
      program_with_wrong_order(), wrong_order(), rounds(20),
      [&](const Hunted& so_far) { told.push_back(so_far.searches.size()); });
  EXPECT_EQ(told, (std::vector<std::size_t>{0, 1}));
}

}  // namespace
}  // namespace racier::repro
