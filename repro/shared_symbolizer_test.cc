// repro/shared_symbolizer_test.cc - children that name functions.
#include "repro/shared_symbolizer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "repro/in_child.h"

extern "C" [[gnu::weak]] void __sanitizer_symbolize_pc(void* pc, const char* format,
                                                       char* out, std::size_t size);

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::minutes kLong{5};

// What a child says of a function, and whether it has started a symbolizer for that.
std::string name_of(void* function) {
  char name[256];
  // It looks at what is before the address, as for one to return to.
  __sanitizer_symbolize_pc(static_cast<char*>(function) + 1, "%f", name, sizeof name);
  const bool alone = ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
  return name + std::string(alone ? "" : " by its own");
}

std::string first() { return name_of(reinterpret_cast<void*>(&last_line)); }
std::string second() { return name_of(reinterpret_cast<void*>(&run_in_children)); }

class SharedSymbolizer : public ::testing::Test {
 protected:
  void SetUp() override {
    if (__sanitizer_symbolize_pc == nullptr) GTEST_SKIP() << "no sanitizer that names";
  }
};

TEST_F(SharedSymbolizer, ChildrenOneAfterAnotherAskThatOfTheirParent) {
  for (int i = 0; i < 3; ++i) {
    const ChildResult one = run_in_child(first, Clock::now() + kLong);
    EXPECT_NE(one.said.find("last_line"), one.said.npos) << one.said;
    EXPECT_EQ(one.said.find("by its own"), one.said.npos) << one.said;
    const ChildResult other = run_in_child(second, Clock::now() + kLong);
    EXPECT_NE(other.said.find("run_in_children"), other.said.npos) << other.said;
    EXPECT_EQ(other.said.find("by its own"), other.said.npos) << other.said;
  }
}

TEST_F(SharedSymbolizer, AChildThatWasKilledTakesNoAnswerAlong) {
  const ChildResult killed = run_in_child(
      []() -> std::string {
        for (;;) first();
      },
      Clock::now());
  EXPECT_TRUE(killed.late);
  const ChildResult next = run_in_child(second, Clock::now() + kLong);
  EXPECT_NE(next.said.find("run_in_children"), next.said.npos) << next.said;
}

TEST_F(SharedSymbolizer, ChildrenSideBySideHaveTheirOwn) {
  start_symbolizer();
  std::size_t right = 0;
  run_in_children({.count = 4,
                   .jobs = 2,
                   .limit = kLong,
                   .carry_out =
                       [](std::size_t work, const ChildProcess::Say& say) {
                         say(work % 2 == 0 ? first() : second());
                       },
                   .begins = [](std::size_t) {},
                   .ended =
                       [&](std::size_t work, const ChildResult& result) {
                         const char* const name =
                             work % 2 == 0 ? "last_line" : "run_in_children";
                         right += result.said.find(name) != result.said.npos &&
                                          result.said.find("own") != result.said.npos
                                      ? 1
                                      : 0;
                       },
                   .waiting = [] {}});
  EXPECT_EQ(right, 4u);
}

}  // namespace
}  // namespace racier::repro
