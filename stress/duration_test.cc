// stress/duration_test.cc - tests of duration.h.
#include "stress/duration.h"

#include <gtest/gtest.h>

namespace racier::stress {
namespace {

TEST(Duration, IsReadAndPrinted) {
  const struct {
    const char* word;
    std::int64_t seconds;
    const char* printed;
  } rows[] = {{"90s", 90, "1m 30s"},
              {"10m", 600, "10m"},
              {"8h", 28800, "8h"},
              {"2d", 172800, "2d"},
              {"45", 45, "45s"},
              {"0", 0, "0s"},
              {"90061", 90061, "1d 1h 1m 1s"},
              {"007m", 420, "7m"}};
  for (const auto& row : rows) {
    const auto duration = parse_duration(row.word);
    ASSERT_TRUE(duration) << row.word;
    EXPECT_EQ(duration->count(), row.seconds) << row.word;
    EXPECT_EQ(print_duration(*duration), row.printed) << row.word;
  }
}

TEST(Duration, NothingElseIsOne) {
  for (const char* word :
       {"", "s", "m", "-1", "-1s", "1.5h", "10 m", "1h30m", "10M", "1y", "never", " 5",
        "5 ", "99999999999999999999", "9999999999d"}) {
    EXPECT_FALSE(parse_duration(word)) << word;
  }
}

}  // namespace
}  // namespace racier::stress
