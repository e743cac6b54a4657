// repro/replayer_test.cc - programs that are replayed, recordings of corpus/traces
// among them.
#include "repro/replayer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/program/parse.h"
#include "core/program/print.h"
#include "repro/program_file.h"

namespace racier::repro {
namespace {

program::Program parsed(const std::string& text) {
  const program::Parsed parsed = program::parse(text);
  EXPECT_TRUE(parsed.program) << parsed.error.str("program");
  return *parsed.program;
}

constexpr const char* kTwoTasks =
    "setup\n"
    "  p0 = process\n"
    "  m0 = mmap p0 2 rw private\n"
    "  p1 = clone p0\n"
    "task A\n"
    "  write p0 m0 0 0\n"
    "task B\n"
    "  write p1 m0 1 0\n"
    "schedule strategy=random_walk seed=3\n";

TEST(Replayer, RunsAlikeEveryTime) {
  const program::Program program = parsed(kTwoTasks);
  Replayer replayer(program);
  const Replay replay = replayer.run(20);
  EXPECT_TRUE(replay.met());
  EXPECT_EQ(replay.runs, 20);
  Replayer other(program);
  EXPECT_EQ(other.run(1).trace_hash, replay.trace_hash);
}

TEST(Replayer, CountsWhatDidNotApply) {
  program::Program program = parsed(kTwoTasks);
  program.schedule = {};
  program.schedule.strategy = StrategyKind::kReplay;
  program.schedule.switches = {{.task = 0, .step = 9'999, .next = 1}};
  EXPECT_EQ(Replayer(program).run(1).missed, 1u);
  program.schedule.switches = {};
  EXPECT_EQ(Replayer(program).run(1).missed, 0u);
}

TEST(Replayer, WhatIsKeptShowsTheFindingAgain) {
  program::Program program = parsed(kTwoTasks);
  program.bugs.arm(*bug::find("prepare_ptl_before_anonlock"));
  Replayer replayer(program);
  const Replay replay = replayer.run(1);
  ASSERT_TRUE(replay.finding);
  EXPECT_FALSE(replay.met());
  const program::Program again = parsed(program::print(kept(program, replay)));
  Replayer other(again);
  EXPECT_TRUE(other.run(3).met());
}

TEST(Replayer, AFindingWithoutAPlaceIsWhereItsReportSays) {
  const program::Program program = parsed(kTwoTasks);
  Replay replay;
  replay.phase = program::Phase::kTeardown;
  replay.finding.emplace();
  replay.finding->kind = FindingKind::kDataRace;
  replay.finding->where = {};
  replay.finding->detail = "write of 8 bytes\n    __enqueue (wait_queue.cc:12)\n";
  EXPECT_EQ(place_of(program, replay), "__enqueue (wait_queue.cc:12), in the teardown");
  replay.finding->detail = "";
  EXPECT_EQ(place_of(program, replay), "? (?:0), in the teardown");
}

TEST(Replayer, ATraceNamesTaskCallPlaceAndObject) {
  const program::Program program = parsed(kTwoTasks);
  Replayer replayer(program);
  const std::string text = replayer.trace_text();
  for (const char* const word :
       {"write p0 m0 0 0", "write p1 m0 1 0", "mm 1 page_table_lock", "mm 1 pte [",
        "slab anon_vma+0x0", " mapcount", "lru_lock", "user word in frame",
        "fault_in"}) {
    EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
  }
  Replayer other(program);
  EXPECT_EQ(other.trace_text(), text);
}

TEST(Replayer, ATraceOfAFindingEndsWithIt) {
  program::Program program = parsed(kTwoTasks);
  program.bugs.arm(*bug::find("prepare_ptl_before_anonlock"));
  Replayer replayer(program);
  EXPECT_NE(replayer.trace_text().find(" join "), std::string::npos);
}

TEST(Traces, EveryOneRunsAsRecorded) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(RACIER_SOURCE_DIR "/corpus/traces")) {
    if (entry.path().extension() == ".racier") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty());
  for (const std::string& file : files) {
    const program::Program program = read_program(file).program;
    Replayer replayer(program);
    const Replay replay = replayer.run(2);
    EXPECT_TRUE(replay.met()) << file << ": " << replay.problems.front();
  }
}

}  // namespace
}  // namespace racier::repro
