// repro/not_needed_test.cc - what is said not to be needed.
#include "repro/not_needed.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/runtime/sanitizers.h"
#include "repro/drop_hunter.h"
#include "repro/files.h"
#include "repro/program_file.h"

namespace racier::repro {
namespace {

KnownSite site_in(const std::string& function) {
  return {{SiteKind::kFlush, "reclaim.cc", 36}, function, "flush tlb", {}, 0};
}

struct NotNeededFile : testing::Test {
  ~NotNeededFile() override { std::filesystem::remove(path); }
  std::vector<NotNeeded> read(const std::string& text) {
    std::ofstream(path) << text;
    return read_not_needed(path);
  }
  const std::string path =
      testing::TempDir() + "not_needed_" + std::to_string(::getpid());
};

TEST_F(NotNeededFile, ALineSaysWhichAndWhy) {
  const auto list =
      read("# a comment\n\nflush reclaim.cc clear_young flush tlb: it only ages\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(reason_of(site_in("clear_young"), list), "it only ages");
  EXPECT_EQ(reason_of(site_in("clear_old"), list), "");
  KnownSite other = site_in("clear_young");
  other.name.kind = SiteKind::kLock;
  EXPECT_EQ(reason_of(other, list), "");
  other = site_in("clear_young");
  other.what = "flush";
  EXPECT_EQ(reason_of(other, list), "");
  other = site_in("clear_young");
  other.name.file = "swap.cc";
  EXPECT_EQ(reason_of(other, list), "");
}

TEST_F(NotNeededFile, AWrongLineIsNamed) {
  for (const std::string line :
       {"flush reclaim.cc clear_young flush tlb", "flush reclaim.cc clear_young: why",
        "flash reclaim.cc clear_young flush: why",
        "flush reclaim.cc f what: ", ": why"}) {
    try {
      read("# first\n" + line + "\n");
      ADD_FAILURE() << line;
    } catch (const BadInput& error) {
      EXPECT_NE(std::string(error.what()).find(":2: expected"), std::string::npos);
    }
  }
  EXPECT_THROW(read_not_needed(path + ".none"), BadInput);
}

// A line for what is not there any more would hide something one day.
TEST(NotNeeded, EachLineOfTheListIsOfASite) {
  if (sanitizers::asan() || sanitizers::tsan()) {
    GTEST_SKIP() << "the sites are the same in every build";
  }
  DropPrograms programs;
  for (const char* const folder : {"programs", "bugs", "found"}) {
    std::vector<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator(
             std::string(RACIER_SOURCE_DIR "/corpus/") + folder)) {
      files.push_back(file.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
      programs.add(read_program(file.string()).program, file.stem());
    }
  }
  programs.add_sides(read_pair_setups(RACIER_SOURCE_DIR "/corpus/pairs"),
                     pair_machines());
  Schedule recipe;
  recipe.strategy = StrategyKind::kPortfolio;
  const std::vector<KnownSite> sites = survey_sites(programs.programs, recipe, 10);
  for (const NotNeeded& entry :
       read_not_needed(RACIER_SOURCE_DIR "/repro/not_needed.txt")) {
    const bool known =
        std::any_of(sites.begin(), sites.end(),
                    [&](const KnownSite& site) { return entry.is(site); });
    EXPECT_TRUE(known) << site_kind_name(entry.kind) << " " << entry.file << " "
                       << entry.function << " " << entry.what;
    EXPECT_NE(entry.reason.back(), '.') << entry.reason;
  }
}

}  // namespace
}  // namespace racier::repro
