// repro/drop_hunter_test.cc - what is needed is caught, what is not is not.  No limit
// here is one of time.
#include "repro/drop_hunter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/program/parse.h"
#include "core/program/runner.h"

namespace racier::repro {
namespace {

program::Program dropped_program(std::string_view text) {
  return *program::parse(text).program;
}

// Two faults of one page, which both want to bring it in.
DropPrograms programs() {
  DropPrograms programs;
  programs.add(dropped_program("setup\n  p0 = process\n  m0 = mmap p0 1 rw private\n"
                               "task A\n  write p0 m0 0 1\n"
                               "task B\n  write p0 m0 0 2\n"),
               "two faults");
  return programs;
}

HuntLimits limits_of(std::uint64_t executions) {
  HuntLimits limits;
  limits.recipe.strategy = StrategyKind::kPortfolio;
  limits.search.executions = executions;
  limits.minimize = std::chrono::hours(1);
  return limits;
}

// The look at the pte, under its lock, of who is about to install a new page.
KnownSite look_of_a_fault(const DropPrograms& programs) {
  const std::vector<KnownSite> sites = survey_sites(programs.programs, {}, 1);
  const auto at = std::find_if(sites.begin(), sites.end(), [](const KnownSite& site) {
    return site.name.kind == SiteKind::kRecheck &&
           site.function == "install_private_page";
  });
  return at == sites.end() ? KnownSite() : *at;
}

Dropped dropped(const DropPrograms& programs, const KnownSite& site,
                std::uint64_t executions) {
  return hunt_drop(programs, site, limits_of(executions), [](const Dropped&) {});
}

// Made once: ThreadSanitizer takes its time.
const Dropped& hunt_of_two_faults() {
  static const Dropped kHunt = [] {
    const DropPrograms two_faults = programs();
    return dropped(two_faults, look_of_a_fault(two_faults), 2'000);
  }();
  return kHunt;
}

TEST(DropHunter, ALookThatIsNeededIsCaught) {
  const DropPrograms two_faults = programs();
  const KnownSite site = look_of_a_fault(two_faults);
  ASSERT_EQ(site.by, std::vector<std::size_t>{0});
  const Dropped& hunt = hunt_of_two_faults();
  ASSERT_TRUE(hunt.caught());
  EXPECT_EQ(hunt.end, SearchEnd::kFound);
  EXPECT_EQ(hunt.program, 0u);
  EXPECT_NE(hunt.title, "");
  ASSERT_TRUE(hunt.smallest);
  EXPECT_EQ(hunt.smallest->sizes.tasks, 2u);
}

// What is left is a program that fails, and is clean with the site in its place.
TEST(DropHunter, TheSmallestProgramReplays) {
  const Dropped& hunt = hunt_of_two_faults();
  ASSERT_TRUE(hunt.smallest);
  program::Program program = dropped_program(hunt.smallest->text);
  ASSERT_EQ(program.drops.size(), 1u);
  FiberRuntime alone;
  program::Runner runner(alone);
  FiberRuntime runtime(program.schedule);
  const program::RunResult& without = runner.run(program, runtime, {});
  EXPECT_TRUE(without.finding);
  EXPECT_TRUE(program::judge(program, without).met());
  program.drops.clear();
  EXPECT_FALSE(runner.run(program, runtime, {}).finding);
}

TEST(DropHunter, WhatIsNotNeededIsNotCaught) {
  DropPrograms alone;
  alone.add(dropped_program("setup\n  p0 = process\n  m0 = mmap p0 1 rw private\n"
                            "task A\n  write p0 m0 0 1\n"),
            "one fault");
  const Dropped hunt = dropped(alone, look_of_a_fault(alone), 200);
  EXPECT_FALSE(hunt.caught());
  EXPECT_EQ(hunt.programs, 1u);
  EXPECT_EQ(hunt.executions, 200u);
  EXPECT_EQ(hunt.end, SearchEnd::kExecutions);
  EXPECT_FALSE(hunt.smallest);
}

// What is found without the site, and with it as well, says nothing about the site.
TEST(DropHunter, WhatFailsWithTheSiteInItsPlaceIsNotCaught) {
  DropPrograms broken;
  broken.add(dropped_program("setup\n"
                             "  p0 = process\n"
                             "  m0 = mmap_file_shared p0 1 rw f0 0\n"
                             "  truncate f0 0\n"
                             "  m1 = mmap p0 1 rw private\n"
                             "task A\n"
                             "  write p0 m1 0 0\n"
                             "  write p0 m0 0 0\n"),
             "a page that no reverse map has");
  broken.programs[0].bugs.arm(Bug::kAnonPageInFileVma);  // no bug is armed in a hunt
  const KnownSite site = look_of_a_fault(broken);
  ASSERT_EQ(site.by, std::vector<std::size_t>{0});
  const Dropped hunt = dropped(broken, site, 5);
  EXPECT_FALSE(hunt.caught());
  EXPECT_NE(hunt.anyway, "");
  EXPECT_NE(hunt.anyway_program.find("anon_page_in_file_vma"), std::string::npos);
}

// Of the sides of a set-up, each by itself, a hunt makes pairs.
TEST(DropHunter, PairsAreMadeOfSides) {
  DropPrograms sides;
  sides.add(dropped_program("setup\n  p0 = process\ntask A\n  exit p0\n"), "an exit");
  sides.add_sides({pair_setup("two", dropped_program("setup\n  p0 = process\n"
                                                     "  m0 = mmap p0 1 rw private\n"
                                                     "task A\n  write p0 m0 0 1\n"))},
                  std::span(pair_machines()).first(1));
  ASSERT_EQ(sides.programs.size(), 2u);
  EXPECT_EQ(sides.whole(), 1u);
  const KnownSite site = look_of_a_fault(sides);
  ASSERT_EQ(site.by, std::vector<std::size_t>{1});
  const Dropped hunt = dropped(sides, site, 20'000);
  ASSERT_TRUE(hunt.caught());
  EXPECT_EQ(hunt.programs, 0u);
  EXPECT_GE(hunt.mutants, 1u);
  EXPECT_EQ(hunt.program, 1u);
}

TEST(DropHunter, OneSeedIsOneResult) {
  const DropPrograms two_faults = programs();
  const KnownSite site = look_of_a_fault(two_faults);
  const Dropped one = dropped(two_faults, site, 2'000);
  const Dropped other = dropped(two_faults, site, 2'000);
  EXPECT_EQ(one.executions, other.executions);
  EXPECT_EQ(one.title, other.title);
  ASSERT_TRUE(one.smallest && other.smallest);
  EXPECT_EQ(one.smallest->text, other.smallest->text);
}

}  // namespace
}  // namespace racier::repro
