// stress/campaign_options_test.cc - tests of campaign_options.h.
#include "stress/campaign_options.h"

#include <gtest/gtest.h>

namespace racier::stress {
namespace {

ParsedCampaignOptions parse(std::vector<const char*> words) {
  words.insert(words.begin(), "racier-campaign");
  return parse_campaign_options(static_cast<int>(words.size()), words.data(), 3);
}

TEST(CampaignOptions, HaveUsualValues) {
  const auto parsed = parse({});
  EXPECT_EQ(parsed.exit_code, std::nullopt) << parsed.text;
  EXPECT_EQ(parsed.options.duration.count(), 120);
  EXPECT_EQ(parsed.options.jobs, 3);
  EXPECT_EQ(parsed.options.seed, std::nullopt);
  EXPECT_EQ(parsed.options.grace.count(), 60);
  EXPECT_TRUE(parsed.options.places.out.is_absolute());
}

TEST(CampaignOptions, AreRead) {
  const auto parsed = parse({"--for", "8h", "--jobs", "9", "--seed", "0", "--bug",
                             "B10", "--bug=B07", "--build-root", "/b", "--out", "/o"});
  EXPECT_EQ(parsed.exit_code, std::nullopt) << parsed.text;
  EXPECT_EQ(parsed.options.duration.count(), 8 * 3600);
  EXPECT_EQ(parsed.options.jobs, 9);
  EXPECT_EQ(parsed.options.seed, 0u);
  EXPECT_EQ(parsed.options.arming.bugs,
            (std::vector<std::string>{"prepare_ptl_before_anonlock",
                                      "remove_rmap_clears_mapping"}));
  EXPECT_EQ(parsed.options.places.report(), "/o/report.json");
  EXPECT_EQ(parsed.options.places.repro(), "/b/release/repro/racier-repro");
}

TEST(CampaignOptions, WrongUseIsOneLine) {
  const std::vector<std::vector<const char*>> lines = {
      {"--fo", "1"},   {"--jobs", "0"}, {"--turns", "0"},
      {"--for", "1w"}, {"--out="},      {"x"}};
  for (const auto& line : lines) {
    const auto parsed = parse(line);
    EXPECT_EQ(parsed.exit_code, 2) << line[0];
    EXPECT_EQ(parsed.text.find('\n'), parsed.text.size() - 1) << parsed.text;
  }
}

}  // namespace
}  // namespace racier::stress
