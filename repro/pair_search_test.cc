// repro/pair_search_test.cc - all schedules of small pairs.
#include "repro/pair_search.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/program/parse.h"
#include "core/rmap/scheme.h"

namespace racier::repro {
namespace {

program::Program program_of(const std::string& text) {
  const program::Parsed parsed = program::parse(text);
  EXPECT_TRUE(parsed.program) << parsed.error.str("text");
  return *parsed.program;
}

const std::string kOnePage =
    "setup\n  p0 = process\n  m0 = mmap p0 1 rw private\n  write p0 m0 0 0\n"
    "  p1 = fork p0\n";

TEST(PairSearch, RunsEveryScheduleOfACleanPair) {
  const program::Program program =
      program_of(kOnePage + "task A\n  write p0 m0 0 0\ntask B\n  write p1 m0 0 0\n");
  PairSearch search;
  const PairResult one = search.search(program, {.preemptions = 1});
  const PairResult two = search.search(program, {.preemptions = 2});
  EXPECT_EQ(one.state, PairState::kClean);
  EXPECT_EQ(two.state, PairState::kClean);
  EXPECT_GT(one.schedules, 10u);
  EXPECT_GT(two.schedules, 5 * one.schedules);
  EXPECT_GE(two.runs, two.schedules);
  EXPECT_GT(two.words, 0u);
}

TEST(PairSearch, SaysTheSameEachTime) {
  const program::Program program =
      program_of(kOnePage + "task A\n  exit p0\ntask B\n  page_referenced p1 m0 0\n");
  PairResult results[2];
  for (PairResult& result : results) {
    PairSearch search;
    result = search.search(program, {});
    result.seconds = 0;
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(PairSearch, TellsTasksThatShareNoWord) {
  PairSearch search;
  const PairResult result = search.search(
      program_of(
          "setup\n  p0 = process\n  m0 = mmap p0 1 rw private\n  write p0 m0 0 0\n"
          "  p1 = process\n  m1 = mmap p1 1 rw private\n  write p1 m1 0 0\n"
          "task A\n  read p0 m0 0 0\ntask B\n  read p1 m1 0 0\n"),
      {});
  EXPECT_EQ(result.state, PairState::kApart);
  EXPECT_EQ(result.words, 0u);
}

TEST(PairSearch, FindsAnArmedBugAndItsSchedule) {
  program::Program program = program_of(
      "bug mkclean_vs_do_wp_page\nsetup\n  p0 = process\n"
      "  m0 = mmap_file_shared p0 1 rw f0 0\n  write p0 m0 0 0\n"
      "task A\n  writeback f0 1\ntask B\n  write p0 m0 0 1\n");
  PairSearch search;
  const PairResult found = search.search(program, {});
  EXPECT_EQ(found.state, PairState::kFinding);
  EXPECT_EQ(found.kind, "data");
  // What it tells shows it again.
  const program::Program shown = program_of(found.program);
  FiberRuntime alone, runtime(shown.schedule);
  program::Runner runner(alone);
  const program::RunResult& again = runner.run(shown, runtime, {});
  ASSERT_TRUE(again.finding);
  EXPECT_EQ(again.finding->title, found.why);

  program.bugs = {};
  EXPECT_EQ(search.search(program, {}).state, PairState::kClean);
}

TEST(PairSearch, GoesOnBehindWhatIsNotWanted) {
  const program::Program program = program_of(
      "bug mkclean_vs_do_wp_page\nsetup\n  p0 = process\n"
      "  m0 = mmap_file_shared p0 1 rw f0 0\n  write p0 m0 0 0\n"
      "task A\n  writeback f0 1\ntask B\n  write p0 m0 0 1\n");
  PairSearch search;
  int passed = 0;
  const PairResult result = search.search(program, {}, [&](const Finding&) {
    ++passed;
    return false;
  });
  EXPECT_GT(passed, 0);
  EXPECT_EQ(result.state, PairState::kClean);
}

TEST(PairSearch, SaysWhatItHasNotRun) {
  const program::Program program =
      program_of(kOnePage + "task A\n  write p0 m0 0 0\ntask B\n  write p1 m0 0 0\n");
  PairSearch search;
  const PairResult few = search.search(program, {.runs = 10});
  EXPECT_EQ(few.state, PairState::kIncomplete);
  EXPECT_EQ(few.why, "10 runs");
  EXPECT_EQ(few.runs, 10u);
  PairLimits late;
  late.deadline = std::chrono::steady_clock::now();
  const PairResult none = search.search(program, late);
  EXPECT_EQ(none.state, PairState::kIncomplete);
  EXPECT_EQ(none.runs, 0u);
}

TEST(PairSearch, EachDesignIsAMachineInItsPeriod) {
  std::set<std::string> designs, names;
  for (const PairMachine& machine : pair_machines()) {
    EXPECT_TRUE(names.insert(machine.name).second) << machine.name;
    if (!machine.threads_only) designs.insert(machine.rmap);
    MachineOptions options;
    options.frames = 64;
    EXPECT_EQ(machine.of(options).frames, 64u);
    EXPECT_EQ(machine.of(options).rmap, machine.rmap);
    EXPECT_FALSE(machine.of(options).weak_memory);
  }
  EXPECT_EQ(designs.size(), rmap::schemes().size());
}

}  // namespace
}  // namespace racier::repro
