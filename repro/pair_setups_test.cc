// repro/pair_setups_test.cc
#include "repro/pair_setups.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/program/ops.h"
#include "core/program/parse.h"
#include "core/program/print.h"
#include "repro/files.h"
#include "repro/pair_search.h"

namespace racier::repro {
namespace {

const std::vector<PairSetup>& corpus() {
  static const auto kSetups = read_pair_setups(RACIER_SOURCE_DIR "/corpus/pairs");
  return kSetups;
}

PairSetup setup_of(const std::string& text) {
  const program::Parsed parsed = program::parse(text);
  EXPECT_TRUE(parsed.program) << parsed.error.str("text");
  return pair_setup("test", *parsed.program);
}

constexpr const char* kTwoPages =
    "setup\n  p0 = process\n  m0 = mmap p0 2 rw private\n"
    "task A\n  p1 = fork p0\n  write p0 m0 0 0\n"
    "task B\n  m1 = mmap p0 1 r private\n  read p0 m1 0 0\n";

TEST(PairSetups, EachCallOfTaskAIsASideAndSoIsEachOtherTask) {
  const PairSetup setup = setup_of(kTwoPages);
  ASSERT_EQ(setup.sides.size(), 3u);
  EXPECT_EQ(side_text(setup, 0), "p1 = fork p0");
  EXPECT_EQ(side_text(setup, 1), "write p0 m0 0 0");
  EXPECT_EQ(side_text(setup, 2), "m1 = mmap p0 1 r private; read p0 m1 0 0");
  EXPECT_EQ(setup.pairs(), 5u);
}

TEST(PairSetups, EachCallIsAPairWithEachSideOnce) {
  const PairSetup setup = setup_of(kTwoPages);
  std::set<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < setup.pairs(); ++i) {
    const Pair pair = nth_pair(setup, i);
    EXPECT_LE(pair.one, pair.other);
    EXPECT_LT(pair.one, setup.calls);
    EXPECT_LT(pair.other, setup.sides.size());
    EXPECT_TRUE(pairs.insert({pair.one, pair.other}).second);
  }
  EXPECT_EQ(pairs.size(), 5u);  // but for the last side with itself
}

TEST(PairSetups, WhatBothSidesDefineIsNumberedThrough) {
  const std::string text = program::print(pair_program(setup_of(kTwoPages), {2, 2}));
  EXPECT_EQ(text,
            "setup\n  p0 = process\n  m0 = mmap p0 2 rw private\n"
            "task A\n  m1 = mmap p0 1 r private\n  read p0 m1 0 0\n"
            "task B\n  m2 = mmap p0 1 r private\n  read p0 m2 0 0\n"
            "expect clean\n");
}

TEST(PairSetups, ASideRefersToNoOther) {
  EXPECT_THROW(setup_of("setup\n  p0 = process\n"
                        "task A\n  m0 = mmap p0 1 r private\n  read p0 m0 0 0\n"),
               BadInput);
  EXPECT_THROW(setup_of("setup\n  p0 = process\n"), BadInput);
  EXPECT_THROW(read_pair_setups("absent"), BadInput);
}

TEST(PairSetups, EveryOpIsInOne) {
  std::set<std::string> missing;
  for (const program::Op& op : program::op_table()) missing.insert(op.name);
  for (const PairSetup& setup : corpus()) {
    for (const program::Calls& side : setup.sides) {
      for (const program::Call& call : side) missing.erase(program::op_of(call).name);
    }
  }
  EXPECT_EQ(missing, std::set<std::string>{});
}

// Each side of each set-up, with nobody beside it, on every machine; and what it wants
// is there on one of them at least.
TEST(PairSetups, EachSideIsCleanAlone) {
  FiberRuntime alone, runtime;
  program::Runner runner(alone);
  for (const PairSetup& setup : corpus()) {
    for (std::size_t side = 0; side < setup.sides.size(); ++side) {
      program::Program program = pair_program(setup, {side, side});
      program.tasks.pop_back();
      for (const PairMachine& machine : pair_machines()) {
        program.machine = machine.of(setup.program.machine);
        const program::RunResult& result = runner.run(program, runtime, {});
        EXPECT_FALSE(result.finding)
            << setup.name << " on " << machine.name << ": " << side_text(setup, side);
        EXPECT_EQ(result.skipped, 0u) << setup.name << ": " << side_text(setup, side);
      }
    }
  }
}

}  // namespace
}  // namespace racier::repro
