// core/program/inject_test.cc
#include "core/program/inject.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/program/parse.h"
#include "core/program/print.h"
#include "core/runtime/fiber_runtime.h"

namespace racier::program {
namespace {

constexpr const char* kTwoCalls = R"(setup
  p0 = process
  m0 = mmap p0 2 rw private
task A
  write p0 m0 0 0
task B
  p1 = fork p0
)";

class Inject : public ::testing::Test {
 protected:
  Program parsed(const char* text) {
    Parsed parsed = parse(text);
    EXPECT_TRUE(parsed.program) << parsed.error.str("");
    return std::move(*parsed.program);
  }
  const RunResult& run(const Program& program, std::optional<FailAlloc> fail) {
    RunOptions options;
    options.fail_alloc = fail;
    return runner_.run(program, runtime_, options);
  }

  FiberRuntime alone_;
  Runner runner_{alone_};
  FiberRuntime runtime_;
};

TEST_F(Inject, FailsEachAllocationOnceAndOnwards) {
  const Program program = parsed(kTwoCalls);
  const std::uint32_t allocations = run(program, FailAlloc{}).allocations;
  EXPECT_GT(allocations, 8u);
  std::vector<FailAlloc> tried;
  const auto look = [&](const FailAlloc& fail, const RunResult& result) {
    EXPECT_FALSE(result.finding);
    EXPECT_GE(result.allocations, fail.nth);
    tried.push_back(fail);
    return true;
  };
  EXPECT_EQ(inject(program, runner_, runtime_, {}, look), allocations);
  ASSERT_EQ(tried.size(), 2 * allocations);
  for (std::uint32_t i = 0; i < allocations; ++i) {
    EXPECT_EQ(tried[2 * i], (FailAlloc{i + 1, false}));
    EXPECT_EQ(tried[2 * i + 1], (FailAlloc{i + 1, true}));
  }
}

TEST_F(Inject, StopsWhenTold) {
  int runs = 0;
  const auto look = [&](const FailAlloc&, const RunResult&) { return ++runs < 3; };
  EXPECT_EQ(inject(parsed(kTwoCalls), runner_, runtime_, {}, look), 2u);
  EXPECT_EQ(runs, 3);
}

TEST_F(Inject, WhatFailedIsWrittenAsFailNth) {
  const Program program = parsed(kTwoCalls);
  int written = 0;
  const auto look = [&](const FailAlloc& fail, const RunResult& result) {
    const std::vector<Outcome> outcomes = result.outcomes;
    const auto text = as_fail_nth(program, fail, result);
    EXPECT_EQ(text.has_value(), !fail.onwards);
    if (!text) return true;
    EXPECT_NE(print(*text).find("(fail_nth: "), std::string::npos);
    EXPECT_EQ(run(*text, std::nullopt).outcomes, outcomes) << print(*text);
    ++written;
    return true;
  };
  EXPECT_EQ(inject(program, runner_, runtime_, {}, look),
            static_cast<std::uint32_t>(written));
}

// Where a call has its own number, the text has no place for another one.
TEST_F(Inject, ACallFailsOnceOnly) {
  const Program program = parsed("setup\n  p0 = process (fail_nth: 2)\n");
  const RunResult& result = run(program, FailAlloc{.nth = 1});
  EXPECT_EQ(result.outcomes[0], Outcome::of(Status::kNoMemory));
  EXPECT_FALSE(as_fail_nth(program, {.nth = 1}, result));
}

// Without a process no other call has what it needs.
TEST_F(Inject, WhoWantsWhatFailedIsSkipped) {
  const RunResult& result =
      run(parsed(kTwoCalls), FailAlloc{.nth = 1, .onwards = true});
  EXPECT_EQ(result.outcomes[0], Outcome::of(Status::kNoMemory));
  EXPECT_EQ(result.skipped, result.outcomes.size() - 1);
  EXPECT_EQ(result.allocations, 1u);
}

TEST_F(Inject, ChosenFailuresAreOfTheText) {
  const Program program = parsed(R"(machine alloc=chosen
setup
  p0 = process
  m0 = mmap p0 2 rw private
task A
  write p0 m0 0 0 -> segv
schedule
  choose A 0 = 1
  choose A 1 = 1
  choose A 2 = 1
)");
  FiberRuntime runtime(program.schedule);
  const RunResult& result = runner_.run(program, runtime, {});
  EXPECT_FALSE(result.finding);
  EXPECT_EQ(result.outcomes[2].status, Status::kNoMemory);
}

}  // namespace
}  // namespace racier::program
