// repro/drop_text_test.cc - what is said of what was left out.
#include "repro/drop_text.h"

#include <gtest/gtest.h>

namespace racier::repro {
namespace {

KnownSite site_at(SiteKind kind, std::uint32_t line) {
  return {{kind, "munmap.cc", line}, "do_munmap", "mm 1 mmap_sem", {0, 1}, 1};
}

SiteHunt caught_hunt() {
  Dropped dropped;
  dropped.executions = 17;
  dropped.programs = 2;
  dropped.seconds = 0.5;
  dropped.end = SearchEnd::kFound;
  dropped.program = 1;
  dropped.kind = "rmap";
  dropped.title = "a title";
  dropped.smallest = {{2, 3, 1, 1}, "task A\n"};
  return {site_at(SiteKind::kLock, 7), dropped, ""};
}

SiteHunt missed_hunt() {
  Dropped dropped;
  dropped.executions = 1'000;
  dropped.programs = 2;
  dropped.end = SearchEnd::kExecutions;
  return {site_at(SiteKind::kFlush, 9), dropped, ""};
}

const std::vector<std::string> kNames = {"one", "another"};

TEST(DropText, SaysWhatIsCaughtAndWhatIsNot) {
  const SiteHunt hunts[] = {
      caught_hunt(), missed_hunt(), {site_at(SiteKind::kFlush, 10), {}, ""}};
  const std::string text = drop_table(hunts, kNames, 3);
  EXPECT_NE(text.find("lock munmap.cc:7"), text.npos) << text;
  EXPECT_NE(text.find("another"), text.npos) << text;
  EXPECT_NE(text.find("NOT CAUGHT: flush munmap.cc:9: nothing in 1000 executions of 2 "
                      "programs"),
            text.npos)
      << text;
  EXPECT_NE(text.find("NOT CAUGHT: flush munmap.cc:10: its turn did not come"),
            text.npos)
      << text;
  EXPECT_NE(
      text.find("lock: 1 of 1 (100 %) caught\nflush: 0 of 2 (0 %) caught\n"
                "detection score: 1 of 3 (33 %) caught; 0 not needed; 3.0 s in all\n"),
      text.npos)
      << text;
}

TEST(DropText, WhatIsNotNeededDoesNotCount) {
  SiteHunt hunts[] = {caught_hunt(), missed_hunt()};
  EXPECT_FALSE(hunts[1].as_expected());
  hunts[1].not_needed = "it only ages";
  EXPECT_TRUE(hunts[0].as_expected());
  EXPECT_TRUE(hunts[1].as_expected());
  std::string text = drop_table(hunts, kNames, 3);
  EXPECT_NE(text.find("not needed: flush munmap.cc:9 (do_munmap): it only ages\n"),
            text.npos)
      << text;
  EXPECT_NE(text.find("detection score: 1 of 1 (100 %) caught; 1 not needed;"),
            text.npos)
      << text;
  EXPECT_EQ(text.find("flush: "), text.npos) << text;
  hunts[0].not_needed = "it only ages, too";  // of another look there
  EXPECT_TRUE(hunts[0].as_expected());
  text = drop_table(hunts, kNames, 3);
  EXPECT_EQ(text.find("not needed: lock"), text.npos) << text;
  EXPECT_NE(text.find("detection score: 1 of 1 (100 %)"), text.npos) << text;
}

TEST(DropText, AProcessThatEndsIsCaught) {
  SiteHunt hunt = missed_hunt();
  hunt.dropped->death = "signal 11";
  EXPECT_TRUE(hunt.caught());
  const std::string text = drop_table(std::span(&hunt, 1), kNames, 1);
  EXPECT_NE(text.find("the process ended"), text.npos) << text;
  EXPECT_EQ(text.find("NOT CAUGHT"), text.npos) << text;
}

TEST(DropText, JsonIsReadAsItIsWritten) {
  for (const SiteHunt& hunt : {caught_hunt(), missed_hunt()}) {
    EXPECT_EQ(json_of(dropped_of(json_of(*hunt.dropped))), json_of(*hunt.dropped));
  }
  const KnownSite site = site_at(SiteKind::kGrace, 7);
  EXPECT_EQ(known_site_of(json_of(site)), site);
  const SiteHunt hunts[] = {caught_hunt(), missed_hunt()};
  const auto json = drop_json(hunts, kNames, 3);
  EXPECT_EQ(json.at("sites"), 2);
  EXPECT_EQ(json.at("caught"), 1);
  EXPECT_EQ(json.at("hunts").at(0).at("hunt").at("program"), "another");
  EXPECT_EQ(json.at("hunts").at(1).at("caught"), false);
}

}  // namespace
}  // namespace racier::repro
