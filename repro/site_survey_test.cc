// repro/site_survey_test.cc - what programs come by.
#include "repro/site_survey.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/program/parse.h"
#include "repro/files.h"

namespace racier::repro {
namespace {

program::Program surveyed(std::string_view text) {
  return *program::parse(text).program;
}

// Two programs: both map, one of them unmaps, in a task.
std::vector<program::Program> two_programs() {
  return {surveyed("setup\n  p0 = process\n  m0 = mmap p0 1 rw private\n"),
          surveyed("setup\n  p0 = process\n  m0 = mmap p0 1 rw private\n"
                   "task A\n  munmap p0 m0 0 1\n")};
}

std::vector<KnownSite> survey() {
  const std::vector<program::Program> programs = two_programs();
  return survey_sites(programs, {}, 1);
}

const KnownSite* site_in(const std::vector<KnownSite>& sites, SiteKind kind,
                         std::string_view file) {
  const auto at = std::find_if(sites.begin(), sites.end(), [&](const KnownSite& site) {
    return site.name.kind == kind && site.name.file == file;
  });
  return at == sites.end() ? nullptr : &*at;
}

TEST(SiteSurvey, KnowsWhoComesBy) {
  const std::vector<KnownSite> sites = survey();
  const KnownSite* const mmap = site_in(sites, SiteKind::kLock, "mmap.cc");
  ASSERT_NE(mmap, nullptr);
  EXPECT_EQ(mmap->by, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(mmap->tasks, 0u);
  EXPECT_NE(mmap->function, "");
  EXPECT_NE(mmap->what, "");
}

TEST(SiteSurvey, WhoseTasksComeByIsFirst) {
  const std::vector<KnownSite> sites = survey();
  const KnownSite* const munmap = site_in(sites, SiteKind::kLock, "munmap.cc");
  ASSERT_NE(munmap, nullptr);
  ASSERT_FALSE(munmap->by.empty());
  EXPECT_EQ(munmap->by[0], 1u);
  EXPECT_EQ(munmap->tasks, 1u);
}

TEST(SiteSurvey, IsOfTheCodeThatIsUnderTest) {
  for (const KnownSite& site : survey()) {
    EXPECT_NE(site.name.file, "spin_lock.cc");
    EXPECT_NE(site.name.file, "ops_map.cc");
    EXPECT_NE(site.name.line, 0u);
  }
}

TEST(SiteSurvey, IsTheSameEachTime) { EXPECT_EQ(survey(), survey()); }

TEST(SiteSurvey, NamesAreOfAllOrSomeOrOne) {
  const std::vector<KnownSite> sites = survey();
  const auto named = [&](std::vector<std::string> words) {
    return sites_named(sites, words);
  };
  const std::vector<KnownSite> all = named({"all"});
  const std::vector<KnownSite> orders = named({"order"});
  EXPECT_FALSE(orders.empty());
  EXPECT_EQ(all.size() + orders.size(), sites.size());
  const std::vector<KnownSite> locks = named({"lock"});
  EXPECT_FALSE(locks.empty());
  EXPECT_LT(locks.size(), sites.size());
  const KnownSite& one = locks[0];
  EXPECT_EQ(named({site_text(one.name)}), std::vector<KnownSite>{one});
  const std::string place = one.name.file + ":" + std::to_string(one.name.line);
  EXPECT_FALSE(named({place}).empty());
  EXPECT_GE(named({one.name.file}).size(), named({place}).size());
  EXPECT_EQ(named({"lock", site_text(one.name)}), locks);
}

TEST(SiteSurvey, AWordThatNamesNothingIsRefused) {
  const std::vector<KnownSite> sites = survey();
  for (const std::string word : {"", "locks", "mmap.c", "mmap.cc:1", "lock"}) {
    const std::vector<std::string> words = {"mmap.cc", word};
    if (word == "lock") {
      EXPECT_NO_THROW(sites_named(sites, words));
    } else {
      EXPECT_THROW(sites_named(sites, words), BadInput) << word;
    }
  }
}

}  // namespace
}  // namespace racier::repro
