// stress/campaign_report_test.cc - tests of campaign_report.h.
#include "stress/campaign_report.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "stress/whole_file.h"

namespace racier::stress {
namespace {

namespace fs = std::filesystem;

class CampaignReport : public testing::Test {
 protected:
  CampaignReport() {
    EXPECT_EQ(prepare_folder(folder_), "");
    EXPECT_EQ(findings_.open(folder_), "");
    options_.places.out = "/o";
    options_.duration = std::chrono::minutes(2);
    options_.jobs = 3;
    state_.begun = "2026-11-20T19:44:44Z";
    state_.starts = 2;
    state_.seed = 7;
    state_.seconds = 61.4;
    state_.cells["fuzz-asan"] = {.seconds = 10, .work = 25000, .turns = 4, .found = 1};
    state_.cells["stress-tsan"] = {.seconds = 0, .work = 0, .turns = 1, .found = 0};
  }
  ~CampaignReport() override { fs::remove_all(folder_); }

  void find_something() {
    Found found;
    found.kind = "rmap";
    found.title = "one \"bug\"";
    found.count = 41;
    found.replay = "racier repro run x\n# found by y\n";
    bool is_new = false;
    EXPECT_EQ(findings_.add(found, {3, "fuzz-asan"}, is_new), "");
    EXPECT_EQ(findings_.note_replay(found.slug(), "the same finding"), "");
    slug_ = found.slug();
  }
  CampaignAccount account(const char* verdict, bool stopped = false) const {
    return {options_, state_, findings_, 12, verdict, stopped};
  }
  nlohmann::json json(const char* verdict) const {
    return nlohmann::json::parse(report_json(account(verdict)));
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("campaign_report." + std::to_string(::getpid()));
  CampaignOptions options_;
  CampaignState state_;
  FindingStore findings_;
  std::string slug_;
};

TEST_F(CampaignReport, TellsHowTheCampaignWent) {
  const auto report = json("SUCCESS");
  EXPECT_EQ(report["verdict"], "SUCCESS");
  EXPECT_EQ(report["begun"], "2026-11-20T19:44:44Z");
  EXPECT_EQ(report["starts"], 2);
  EXPECT_EQ(report["seed"], 7);
  EXPECT_EQ(report["jobs_at_once"], 3);
  EXPECT_EQ(report["seconds"], 61.4);
  EXPECT_EQ(report["seconds_asked_for"], 120);
  EXPECT_EQ(report["stopped"], false);
  EXPECT_EQ(report["corpus"], 12);
  EXPECT_EQ(report["findings"].size(), 0u);
}

TEST_F(CampaignReport, HasEveryCell) {
  const auto report = json("SUCCESS");
  ASSERT_EQ(report["cells"].size(), cells().size());
  for (std::size_t i = 0; i < cells().size(); ++i) {
    const auto& row = report["cells"][i];
    EXPECT_EQ(row["cell"], cells()[i].name);
    const bool fuzz = cells()[i].tool == Tool::kFuzz;
    EXPECT_TRUE(row.contains(fuzz ? "executions" : "calls")) << row;
  }
  const auto& fuzz = report["cells"][0];
  EXPECT_EQ(fuzz["cell"], "fuzz-asan");
  EXPECT_EQ(fuzz["executions"], 25000);
  EXPECT_EQ(fuzz["per_second"], 2500.0);
  EXPECT_EQ(fuzz["jobs"], 4);
  EXPECT_EQ(fuzz["jobs_with_findings"], 1);
  EXPECT_EQ(report["cells"][1]["per_second"], 0.0) << "of no time at all";
}

TEST_F(CampaignReport, HasEveryFindingWithItsReplay) {
  find_something();
  const auto report = json("FAILURE");
  ASSERT_EQ(report["findings"].size(), 1u);
  const auto& row = report["findings"][0];
  EXPECT_EQ(row["signature"], "rmap | one \"bug\"");
  EXPECT_EQ(row["count"], 41);
  EXPECT_EQ(row["first_cell"], "fuzz-asan");
  EXPECT_EQ(row["folder"], (folder_ / slug_).string());
  EXPECT_EQ(row["replay"], "racier repro run x") << "the first command";
  EXPECT_EQ(row["replay_gave"], "the same finding");
}

TEST_F(CampaignReport, TheLastLineIsTheVerdict) {
  EXPECT_EQ(report_lines(account("SUCCESS")).back(),
            "--- End of test: SUCCESS: seed 7, after 1m 1s");
  state_.arming = {{"a", "b"}, "c"};
  EXPECT_EQ(report_lines(account("FAILURE", true)).back(),
            "--- End of test: FAILURE: seed 7, after 1m 1s, bugs: a, b, rmap: c "
            "(stopped: start it again to go on)");
}

TEST_F(CampaignReport, TheSummaryNamesCellsAndFindings) {
  find_something();
  const auto lines = report_lines(account("FAILURE"));
  ASSERT_EQ(lines.size(), cells().size() + 4);
  EXPECT_EQ(lines[0],
            "fuzz-asan       10 s       25.0k executions      2.5k/s  4 jobs");
  const auto* const finding = &lines[cells().size()];
  EXPECT_EQ(finding[0], "!!! 41 times: rmap | one \"bug\"");
  EXPECT_EQ(finding[1], "    " + (folder_ / slug_).string());
  EXPECT_EQ(finding[2], "corpus 12, findings 1; /o/report.json");
}

TEST_F(CampaignReport, PrintsShortly) {
  EXPECT_EQ(print_arming({}), "");
  EXPECT_EQ(print_count(999), "999");
  EXPECT_EQ(print_count(12345), "12.3k");
  EXPECT_EQ(print_count(4500000), "4.5M");
  EXPECT_EQ(print_count(7000000000), "7.0G");
  EXPECT_EQ(last_line("a\nb\n\n"), "b");
  EXPECT_EQ(last_line("\n \n"), "");
}

}  // namespace
}  // namespace racier::stress
