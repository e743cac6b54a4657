// core/base/site_test.cc - names of sites.
#include "core/base/site.h"

#include <gtest/gtest.h>

namespace racier {
namespace {

TEST(Site, NameIsReadAsItIsWritten) {
  for (int i = 0; i < kSiteKinds; ++i) {
    const SiteName site{static_cast<SiteKind>(i), "munmap.cc", 197};
    const std::string text = site_text(site);
    const std::size_t space = text.find(' ');
    EXPECT_EQ(find_site(text.substr(0, space), text.substr(space + 1)), site) << text;
  }
  EXPECT_EQ(site_text({SiteKind::kLock, "munmap.cc", 197}), "lock munmap.cc:197");
}

TEST(Site, WhatIsNoNameIsNone) {
  EXPECT_FALSE(find_site("lock", "munmap.cc"));
  EXPECT_FALSE(find_site("lock", "munmap.cc:"));
  EXPECT_FALSE(find_site("lock", "munmap.cc:0"));
  EXPECT_FALSE(find_site("lock", "munmap.cc:-1"));
  EXPECT_FALSE(find_site("lock", "munmap.cc:1x"));
  EXPECT_FALSE(find_site("lock", "munmap.cc:99999999999"));
  EXPECT_FALSE(find_site("lock", ":1"));
  EXPECT_FALSE(find_site("lock", "core/mm/munmap.cc:1"));
  EXPECT_FALSE(find_site("clock", "munmap.cc:1"));
  EXPECT_FALSE(find_site("", "munmap.cc:1"));
}

TEST(Site, IsAtItsLine) {
  const std::source_location here = std::source_location::current();
  SiteName site{SiteKind::kLock, "site_test.cc", here.line()};
  EXPECT_TRUE(site.is_at(here));
  ++site.line;
  EXPECT_FALSE(site.is_at(here));
  --site.line;
  site.file = "test.cc";
  EXPECT_FALSE(site.is_at(here));
}

}  // namespace
}  // namespace racier
