// stress/cell_test.cc - tests of cell.h.
#include "stress/cell.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "stress/stress_options.h"
#include "stress/workload.h"

namespace racier::stress {
namespace {

using Words = std::vector<std::string>;

const Places kPlaces{.out = "/o", .builds = "/b"};

bool has(const Words& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

// Reads the options of a job of racier-stress as that will.
StressOptions stress_options(const Job& job, const Arming& arming) {
  const Words command = command_of(job, kPlaces, arming);
  std::vector<const char*> arguments;
  for (const std::string& word : command) arguments.push_back(word.c_str());
  const auto parsed =
      parse_stress_options(static_cast<int>(arguments.size()), arguments.data(), 1);
  EXPECT_FALSE(parsed.exit_code) << parsed.text;
  return parsed.options;
}

TEST(Cell, EachToolUnderEachSanitizer) {
  std::set<std::string> programs;
  for (const Cell& cell : cells()) {
    EXPECT_EQ(find_cell(cell.name), &cell);
    programs.insert(kPlaces.program(cell));
  }
  EXPECT_EQ(programs,
            (std::set<std::string>{
                "/b/asan/fuzz/program_fuzz", "/b/asan/stress/racier-stress",
                "/b/tsan/fuzz/program_fuzz", "/b/tsan/stress/racier-stress"}));
  EXPECT_EQ(find_cell("fuzz"), nullptr);
}

TEST(Cell, AJobOfTheFuzzerHasItsOwnPlaces) {
  const Job job{.number = 12, .cell = find_cell("fuzz-asan"), .seconds = 30, .seed = 5};
  const Words command = command_of(job, kPlaces, {{"some_bug"}, "x"});
  EXPECT_EQ(command[0], "/b/asan/fuzz/program_fuzz");
  EXPECT_TRUE(has(command, "--bug=some_bug"));
  EXPECT_TRUE(has(command, "--rmap=x"));
  EXPECT_TRUE(has(command, "-max_total_time=30"));
  EXPECT_TRUE(has(command, "--findings=/o/work/job-000012-fuzz-asan/"));
  EXPECT_TRUE(has(command, "-artifact_prefix=/o/work/job-000012-fuzz-asan/"));
  EXPECT_EQ(Words(command.end() - 3, command.end()),
            (Words{"/o/work/job-000012-fuzz-asan/corpus", "/o/corpus", "/o/seeds"}))
      << "new inputs go to the first";
  EXPECT_EQ(job.log(kPlaces), "/o/logs/job-000012-fuzz-asan.log");
}

// To libFuzzer 0 is no seed, and it reads 32 bits.
TEST(Cell, AnySeedIsOneForTheFuzzer) {
  for (const std::uint64_t seed : {0ull, 0x7fffffffull, ~0ull}) {
    const Job job{.cell = find_cell("fuzz-tsan"), .seed = seed};
    const Words command = command_of(job, kPlaces, {});
    const auto word = std::ranges::find_if(
        command, [](const std::string& each) { return each.starts_with("-seed="); });
    ASSERT_NE(word, command.end());
    const long long given = std::stoll(word->substr(6));
    EXPECT_GE(given, 1) << seed;
    EXPECT_LE(given, 0x7fffffff) << seed;
  }
}

TEST(Cell, RacierStressUnderstandsItsJob) {
  const Job job{.number = 3,
                .cell = find_cell("stress-tsan"),
                .turn = 1,
                .seconds = 30,
                .seed = 77};
  const StressOptions options =
      stress_options(job, {{"remove_rmap_clears_mapping"}, "anon_vma_spin"});
  EXPECT_EQ(options.duration, std::chrono::seconds(30));
  EXPECT_EQ(options.seed, 77u);
  EXPECT_EQ(options.rmap, "anon_vma_spin");
  EXPECT_TRUE(options.bugs.has(Bug::kRemoveRmapClearsMapping));
  EXPECT_EQ(options.findings, "/o/work/job-000003-stress-tsan");
  EXPECT_EQ(options.json, "/o/work/job-000003-stress-tsan/result.json");
}

TEST(Cell, StressHasEveryWorkloadWithEveryNumberOfThreads) {
  std::set<std::pair<const Workload*, int>> seen;
  const std::size_t all = workloads().size() * 3;
  for (std::uint64_t turn = 0; turn < all; ++turn) {
    const Job job{.cell = find_cell("stress-asan"), .turn = turn, .seconds = 1};
    const StressOptions options = stress_options(job, {});
    seen.insert({options.workload, options.threads});
  }
  EXPECT_EQ(seen.size(), all);
}

TEST(Cell, ReadsHowMuchWasDone) {
  EXPECT_EQ(work_in_log(Tool::kFuzz, "x\n#2\tINITED cov: 1\n#4096\tpulse  cov: 2\n"),
            4096u);
  EXPECT_EQ(work_in_log(Tool::kFuzz, "\n#8 x\nstat::number_of_executed_units: 12345\n"),
            12345u);
  EXPECT_EQ(work_in_log(Tool::kFuzz, "\n    #0 0x55 in f\n#1 0x2\n"), 1u);
  EXPECT_EQ(
      work_in_log(Tool::kStress, "r: Calls: Total: 5  M\nr: Calls: Total: 70  Max"),
      70u);
  EXPECT_EQ(work_in_log(Tool::kStress, ""), 0u);
}

}  // namespace
}  // namespace racier::stress
