// repro/pair_hunt_test.cc - matrices, in child processes; armed rows.
#include "repro/pair_hunt.h"

#include <gtest/gtest.h>

#include <string>

#include "core/program/parse.h"
#include "repro/pair_svg.h"
#include "repro/program_file.h"

namespace racier::repro {
namespace {

PairSetup setup_named(const std::string& name, const std::string& text) {
  const program::Parsed parsed = program::parse(text);
  EXPECT_TRUE(parsed.program) << parsed.error.str("text");
  return pair_setup(name, *parsed.program);
}

PairSetup page() {
  return setup_named(
      "page",
      "setup\n  p0 = process\n  m0 = mmap p0 1 rw private\n  write p0 m0 0 0\n"
      "task A\n  read p0 m0 0 0\n  page_referenced p0 m0 0\n"
      "  munmap p0 m0 0 1\n");
}

// No page lock keeps writeback and who stores apart: data is lost.
PairSetup file_page(bool armed) {
  return setup_named("file_page",
                     std::string(armed ? "bug mkclean_vs_do_wp_page\n" : "") +
                         "setup\n  p0 = process\n"
                         "  m0 = mmap_file_shared p0 1 rw f0 0\n"
                         "  write p0 m0 0 0\n"
                         "task A\n  writeback f0 1\n  write p0 m0 0 1\n");
}

std::vector<PairMachine> two_machines() {
  return {pair_machines()[0], pair_machines()[3]};
}

PairMatrix run(PairMatrix matrix, const PairLimits& limits = {}, std::size_t jobs = 2) {
  run_pairs(matrix, jobs, limits,
            {.begins = [](std::size_t, const std::string&) {},
             .ended = [](std::size_t) {},
             .waiting = [] {}});
  return matrix;
}

// Without what the clock says.
std::string told(PairMatrix matrix) {
  matrix.seconds = 0;
  for (PairCell& cell : matrix.cells) cell.result.seconds = 0;
  return matrix_text(matrix, true) + matrix_json(matrix).dump() + matrix_svg(matrix);
}

bool says(const std::string& text, const std::string& words) {
  return text.find(words) != text.npos;
}

TEST(PairHunt, RunsAllPairsOnAllMachines) {
  const PairMatrix matrix =
      run(all_pairs({page(), file_page(false)}, two_machines(), 2));
  const PairSum sum = sum_of(matrix);
  EXPECT_EQ(matrix.cells.size(), 2u * (6 + 3));
  EXPECT_EQ(sum.all(), 18u);
  EXPECT_TRUE(sum.covered());
  EXPECT_GT(sum.schedules, 18u);
  const std::string text = matrix_text(matrix, true);
  EXPECT_TRUE(says(text, "all schedules were run, and were clean: 18 pairs"));
  EXPECT_FALSE(says(text, "NOT COMPLETE"));
  EXPECT_TRUE(matrix_json(matrix).at("covered"));
}

TEST(PairHunt, SaysTheSameWhoeverRunsIt) {
  const PairMatrix matrix = all_pairs({page()}, two_machines(), 1);
  EXPECT_EQ(told(run(matrix, {}, 1)), told(run(matrix, {}, 2)));
}

TEST(PairHunt, NumbersAddUp) {
  const PairMatrix matrix = run(all_pairs({page()}, two_machines(), 1));
  const PairSum sum = sum_of(matrix);
  PairSum added;
  const nlohmann::ordered_json json = matrix_json(matrix);
  for (const auto& cell : json.at("cells")) {
    added.add(pair_result_of(cell));
  }
  EXPECT_EQ(added.cells, sum.cells);
  EXPECT_EQ(added.schedules, sum.schedules);
  EXPECT_EQ(added.runs, sum.runs);
  // Three ops, of which each two are one pair, either way round.
  std::uint64_t pairs = 0;
  for (const OpPair& pair : op_pairs(matrix)) pairs += pair.sum.all();
  EXPECT_EQ(pairs, 2u * (2 * 3 + 3));
}

TEST(PairHunt, ThreadsOnlyMachinesAreForSetupsWithThreads) {
  PairMachine machine = pair_machines().back();
  ASSERT_TRUE(machine.threads_only);
  EXPECT_EQ(all_pairs({page()}, {machine}, 2).cells.size(), 0u);
  const PairSetup threads = setup_named(
      "threads", "setup\n  p0 = process\n  p1 = clone p0\ntask A\n  exit p1\n");
  EXPECT_EQ(all_pairs({threads}, {machine}, 2).cells.size(), 1u);
}

TEST(PairHunt, AFindingIsToldWithItsProgram) {
  const PairMatrix matrix = run(all_pairs({file_page(true)}, two_machines(), 2));
  EXPECT_EQ(sum_of(matrix).of(PairState::kFinding), 2u);
  const std::string text = matrix_text(matrix, true);
  EXPECT_TRUE(
      says(text, "FINDING: file_page on anon_vma_spin: writeback f0 1 | write"));
  EXPECT_TRUE(says(text, "bug mkclean_vs_do_wp_page"));
  EXPECT_TRUE(says(text, "\nFINDINGS: 6 pairs"));
}

TEST(PairHunt, WhatIsNotCompleteIsSaidLoudly) {
  const PairMatrix few = run(all_pairs({page()}, two_machines(), 2), {.runs = 20});
  EXPECT_FALSE(sum_of(few).covered());
  const std::string text = matrix_text(few, false);
  EXPECT_TRUE(says(text, "\nNOT COMPLETE:\n  page on anon_vma_spin: "));
  EXPECT_TRUE(says(text, ": 20 runs\n"));
  EXPECT_TRUE(says(matrix_svg(few), "NOT COMPLETE: 12 pairs"));
  EXPECT_FALSE(matrix_json(few).at("covered"));

  PairLimits late;
  late.deadline = std::chrono::steady_clock::now();
  const PairMatrix none = run(all_pairs({page()}, two_machines(), 2), late);
  EXPECT_EQ(sum_of(none).of(PairState::kNotRun), 12u);
  EXPECT_TRUE(says(matrix_text(none, false), "12 whose turn did not come"));
}

// Some schedules with B05 armed follow a pointer into freed memory; where none does,
// the detector speaks.
TEST(PairHunt, FindsArmedRows) {
  for (const char* const name : {"B58", "B25"}) {
    const bug::Row& row = bug::row(*bug::find(name));
    const program::Program program =
        read_program(std::string(RACIER_SOURCE_DIR "/corpus/bugs/") + row.name +
                     ".racier")
            .program;
    PairQuarry quarry = quarry_of(row, program);
    EXPECT_EQ(quarry.apart, "");
    std::uint64_t told = 0;
    hunt_in_pairs(quarry, program, {page(), file_page(false)}, {},
                  [&](const PairQuarry& now) { told = now.pairs; });
    EXPECT_TRUE(quarry.found) << name;
    EXPECT_EQ(told, quarry.pairs);
    EXPECT_NE(quarry.program, "");
    PairQuarry again = quarry_of(row, program);
    read_quarry(again, json_of(quarry));
    EXPECT_EQ(json_of(again), json_of(quarry));
    const PairQuarry both[] = {quarry, again};
    EXPECT_TRUE(all_found(both));
    EXPECT_TRUE(says(quarries_text(both, 1), "2 of 2 rows found in pairs"));
  }
}

TEST(PairHunt, SaysWhatIsNotFound) {
  const bug::Row& row = bug::row(*bug::find("B58"));
  program::Program program =
      read_program(RACIER_SOURCE_DIR "/corpus/bugs/mkclean_vs_do_wp_page.racier")
          .program;
  PairQuarry quarry = quarry_of(row, program);
  hunt_in_pairs(quarry, program, {page()}, {.preemptions = 1},
                [](const PairQuarry&) {});
  EXPECT_FALSE(quarry.found);
  EXPECT_EQ(quarry.pairs, page().pairs());
  EXPECT_FALSE(all_found({&quarry, 1}));
  EXPECT_TRUE(says(quarries_text({&quarry, 1}, 1), "0 of 1 rows found in pairs"));
  program.tasks.push_back(program.tasks[0]);
  EXPECT_EQ(quarry_of(row, program).apart, "needs 3 tasks");
}

TEST(PairHunt, TheHeatMapIsWellFormed) {
  PairMatrix matrix = all_pairs({page()}, two_machines(), 2);
  matrix.cells[0].result.state = PairState::kFinding;
  matrix.cells[0].result.why = "a < b & \"c\"";
  const std::string svg = matrix_svg(matrix);
  std::vector<std::string> open;
  for (std::size_t at = svg.find('<'); at != svg.npos; at = svg.find('<', at + 1)) {
    const std::size_t end = svg.find('>', at);
    ASSERT_NE(end, svg.npos);
    const std::string tag = svg.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    if (tag[0] == '/') {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(tag.substr(1), open.back());
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_TRUE(says(svg, "a &lt; b &amp; &quot;c&quot;"));
  EXPECT_TRUE(says(svg, "read | read: "));
}

}  // namespace
}  // namespace racier::repro
