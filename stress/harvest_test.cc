// stress/harvest_test.cc - tests of harvest.h.
#include "stress/harvest.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace racier::stress
