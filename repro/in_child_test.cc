// repro/in_child_test.cc - children that end in order, and others.
#include "repro/in_child.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>

#include "core/runtime/run_alone.h"
#include "core/runtime/sanitizers.h"
#include "repro/files.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::minutes kLong{5};

ChildResult in_child(const std::function<std::string()>& work) {
  return run_in_child(work, Clock::now() + kLong);
}

TEST(InChild, ReturnsWhatTheWorkReturns) {
  const std::string much(1 << 20, 'x');  // more than a pipe holds
  EXPECT_EQ(in_child([&] { return much; }), (ChildResult{much, "", false}));
  EXPECT_EQ(in_child([] { return std::string(); }), ChildResult{});
}

// To ThreadSanitizer fibers are threads, and a child has none of its parent's: it knows
// nothing of those that run there all the same when it begins anew with its clocks,
// which it does after some millions of releases.
TEST(InChild, SeesRacesThoughItsParentHadFibers) {
  alignas(8) int word = 0;
  const auto race = [&word] { *const_cast<volatile int*>(&word) = 1; };
  const auto runs = [&]() -> std::string {
    const std::optional<Finding> finding = run_tasks({}, {race, race});
    return finding ? finding_kind_name(finding->kind) : "clean";
  };
  std::atomic<int> edge{0};
  const auto releases = [&edge] {
    constexpr int kReleases = 3'000'000;
    for (int i = 0; i < kReleases; ++i) edge.fetch_add(1, std::memory_order_release);
  };
  const std::string here = runs();
  EXPECT_EQ(here, sanitizers::tsan() ? "data-race" : "clean");
  const ChildResult there = in_child([&] {
    EXPECT_EQ(run_tasks({}, {releases, releases}), std::nullopt);
    return runs() + runs();
  });
  EXPECT_EQ(there, (ChildResult{here + here, "", false}));
  EXPECT_EQ(runs(), here);
}

TEST(InChild, TellsHowItDied) {
  EXPECT_EQ(in_child([]() -> std::string { std::_Exit(7); }).death, "exit code 7");
  EXPECT_EQ(in_child([]() -> std::string {
              std::signal(SIGKILL, SIG_DFL);
              ::kill(::getpid(), SIGKILL);
              return "";
            }).death,
            "signal 9");
}

TEST(InChild, TellsWhatASanitizerSaidLast) {
  const auto dies = [](int number) {
    return in_child([number]() -> std::string {
      std::fprintf(stderr, "==%d==SUMMARY: Sanitizer: bad x.cc:%d in f\nmore\n", number,
                   number);
      std::_Exit(1);
    });
  };
  EXPECT_EQ(dies(12).death, "exit code 1, SUMMARY: Sanitizer: bad x.cc: in f");
  EXPECT_EQ(dies(12), dies(345));
}

TEST(InChild, WhatTheWorkThrowsIsThrown) {
  const auto throws = []() -> std::string { throw std::runtime_error("no memory"); };
  EXPECT_THROW(in_child(throws), CannotRun);
}

TEST(InChild, IsKilledAtItsDeadline) {
  const ChildResult result = run_in_child(
      []() -> std::string {
        for (;;) ::pause();
      },
      Clock::now());
  EXPECT_TRUE(result.late);
  EXPECT_EQ(result.death, "signal 9");
}

}  // namespace
}  // namespace racier::repro
