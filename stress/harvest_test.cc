// stress/harvest_test.cc - tests of what logs tell (harvest.h, cell.h,
// campaign_report.h).
#include "stress/harvest.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "stress/campaign_report.h"
#include "stress/finding_text.h"

namespace racier::stress {
namespace {

std::string crash(const std::string& log, const ChildEnd& end) {
  return crash_in_log(log, *find_cell("fuzz-tsan"), end).signature();
}

TEST(Harvest, NamesCrashesStably) {
  const ChildEnd died{.exit_code = 77};
  EXPECT_EQ(crash("x\nracier: a.cc:1: f: Assertion 'a is b' failed.\n== stack\n", died),
            "assertion | a is b");
  EXPECT_EQ(
      crash("SUMMARY: ThreadSanitizer: data race /x/y/vma.cc:3:4 in f(int)\n", died),
      "sanitizer | ThreadSanitizer: data race vma.cc in f(int)");
  EXPECT_EQ(
      crash("SUMMARY: AddressSanitizer: 56 byte(s) leaked in 2 allocation(s).\n", died),
      "sanitizer | AddressSanitizer: N byte(s) leaked in N allocation(s).");
  EXPECT_EQ(crash("SUMMARY: libFuzzer: timeout\n", {.exit_code = 70}),
            "timeout | libFuzzer: timeout");
  EXPECT_EQ(crash("", {.signal = 9}),
            "killed | program_fuzz (tsan) was killed: out of memory?");
  EXPECT_EQ(crash("", {.signal = 9, .hung = true}),
            "hang | program_fuzz (tsan) did not end when its time was over");
  EXPECT_EQ(crash("", {.exit_code = 5}),
            "crash | program_fuzz (tsan) ended with exit code 5");
}

TEST(Harvest, OneSlugForEachSignature) {
  Finding finding;
  finding.kind = FindingKind::kRmap;
  finding.title = "rmap walk missed a mapping";
  Found found;
  found.kind = "rmap";
  found.title = finding.title;
  EXPECT_EQ(found.slug(), finding_slug(finding));
  EXPECT_NE(found.slug(), slug_of("rmap", "something else"));
  EXPECT_EQ(found.slug().size(), std::string("rmap-0123456789abcdef").size());
}

TEST(Harvest, ReadsHowMuchWasDone) {
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

TEST(Harvest, EveryJobHasItsOwnPlaces) {
  Places places;
  places.out = "/o";
  places.builds = "/b";
  const Job job{.number = 12, .cell = find_cell("fuzz-asan"), .seconds = 30, .seed = 5};
  const auto command = command_of(job, places, {{"some_bug"}, "x"});
  const auto has = [&](const std::string& word) {
    return std::ranges::find(command, word) != command.end();
  };
  EXPECT_EQ(command[0], "/b/asan/fuzz/program_fuzz");
  EXPECT_TRUE(has("--bug=some_bug"));
  EXPECT_TRUE(has("--rmap=x"));
  EXPECT_TRUE(has("-max_total_time=30"));
  EXPECT_TRUE(has("-artifact_prefix=/o/work/job-000012-fuzz-asan/"));
  EXPECT_TRUE(has("/o/work/job-000012-fuzz-asan/corpus"));
  EXPECT_TRUE(has("/o/corpus"));
}

TEST(Harvest, PrintsShortly) {
  EXPECT_EQ(print_count(999), "999");
  EXPECT_EQ(print_count(12345), "12.3k");
  EXPECT_EQ(print_count(4500000), "4.5M");
  EXPECT_EQ(last_line("a\nb\n\n"), "b");
  EXPECT_EQ(last_line(""), "");
}

}  // namespace
}  // namespace racier::stress
