// stress/stress_options_test.cc - tests of stress_options.h and words.h.
#include "stress/stress_options.h"

#include <gtest/gtest.h>

#include <sstream>

namespace racier::stress {
namespace {

ParsedStressOptions parse(const std::string& line) {
  std::istringstream stream("racier-stress " + line);
  const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  return parse_stress_options(static_cast<int>(arguments.size()), arguments.data(), 77);
}

TEST(StressOptions, WithoutAnyItIsAMinuteOfEverything) {
  const auto parsed = parse("");
  EXPECT_EQ(parsed.exit_code, std::nullopt) << parsed.text;
  EXPECT_EQ(parsed.options.duration.count(), 60);
  EXPECT_EQ(parsed.options.rounds, 0u);
  EXPECT_EQ(parsed.options.seed, 77u);
  EXPECT_STREQ(parsed.options.workload->name, "mixed");
  EXPECT_EQ(parsed.options.threads, 4);
}

TEST(StressOptions, RoundsHaveNoOtherEndUnlessItIsNamed) {
  EXPECT_EQ(parse("--rounds 5").options.duration.count(), 0);
  EXPECT_EQ(parse("--rounds 5 --for 10m").options.duration.count(), 600);
  EXPECT_EQ(parse("--round 9").options.rounds, 1u);
  EXPECT_EQ(parse("--round 9 --rounds 4").options.rounds, 4u);
  EXPECT_EQ(parse("--round 9 --for 5s").options.rounds, 0u);
}

TEST(StressOptions, WhatIsPrintedIsReadAgain) {
  const std::string line =
      "--seed 9 --workload fork --threads 2 --bug remove_rmap_clears_mapping "
      "--as-posted davem --rmap anon_vma_spin --mmu host --jitter 5";
  const auto parsed = parse(line);
  EXPECT_EQ(print_options(parsed.options), line);
  EXPECT_TRUE(replay_command(parsed.options, 4).ends_with(line + " --round 4"));
  EXPECT_TRUE(parse("--bug B07").options.bugs.has(Bug::kRemoveRmapClearsMapping));
}

TEST(StressOptions, WrongUseIsOneLine) {
  for (const char* line :
       {"--nonsense", "--for", "--for x", "--threads 0", "--threads 9", "--threads 2x",
        "--seed -1", "--workload all", "--bug B999", "--as-posted no", "--rmap no",
        "--mmu no", "--work fork",
        "extra", "--rounds 0", "--jitter -3", "--stuck-after 0", "--print",
        "--seed 1 --seed 2"}) {
    const auto parsed = parse(line);
    EXPECT_EQ(parsed.exit_code, 2) << line;
    EXPECT_EQ(parsed.text.find('\n'), parsed.text.size() - 1) << parsed.text;
  }
  EXPECT_EQ(
      parse("--workload all").text,
      "racier-stress: --workload: expected one of fork, fault, reclaim, swap, lookup, "
      "tlb, notify, mixed, "
      "not 'all' (--help)\n");
}

TEST(StressOptions, HelpAndList) {
  EXPECT_EQ(parse("--help").exit_code, 0);
  EXPECT_NE(parse("--list").text.find("B10 prepare_ptl_before_anonlock"),
            std::string::npos);
}

}  // namespace
}  // namespace racier::stress
