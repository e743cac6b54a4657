// repro/minimizer_test.cc - what is left of a program, and when it stops.
#include "repro/minimizer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/program/ops.h"
#include "core/program/parse.h"
#include "core/program/print.h"

namespace racier::repro {
namespace {

program::Program program_of(const char* text) {
  program::Parsed parsed = program::parse(text);
  EXPECT_TRUE(parsed.program) << parsed.error.str("text");
  return *parsed.program;
}

// Says of each candidate what a rule says, without running it.
class RuleProbe final : public Probe {
 public:
  using Rule = std::function<bool(const program::Program&)>;
  explicit RuleProbe(Rule rule) : rule_(std::move(rule)) {}
  bool shows(program::Program& candidate, std::uint64_t) override {
    return rule_(candidate);
  }
  bool shows_within(program::Program&, int, std::uint64_t) override { return false; }
  int preemptions(const program::Program& candidate) override {
    return static_cast<int>(candidate.schedule.switches.size());
  }

 private:
  Rule rule_;
};

std::size_t calls_of(const program::Program& program, const char* op) {
  std::size_t count = 0;
  for (int list = 0; list < program.lists(); ++list) {
    for (const program::Call& call : program.list(list)) {
      count += program::op_of(call).name == std::string(op) ? 1 : 0;
    }
  }
  return count;
}

// Returns the text of what is left by a rule.
std::string minimized(const char* text, RuleProbe::Rule rule) {
  RuleProbe probe(std::move(rule));
  Minimizer minimizer(program_of(text), probe,
                      {.stop = [] { return false; }, .is_smaller = [](const auto&) {}});
  EXPECT_FALSE(minimizer.minimize().stopped);
  return program::print(minimizer.program());
}

constexpr const char* kText =
    "bug remove_rmap_clears_mapping\n"
    "bug cow_copy_unlocked\n"
    "machine frames=64\n"
    "setup\n"
    "  p0 = process\n"
    "  m0 = mmap p0 3 rw private\n"
    "task A\n"
    "  write p0 m0 2 1 -> ok\n"
    "  p1 = fork p0\n"
    "  m1 = mmap p1 2 rw private\n"
    "  read p1 m1 1 0\n"
    "task B\n"
    "  write p0 m0 1 1\n"
    "task C\n"
    "  read p0 m0 0 0\n"
    "schedule\n"
    "  A 3 -> B\n"
    "  B 2 -> A\n";

TEST(Minimizer, KeepsNothingThatIsNotNeeded) {
  EXPECT_EQ(minimized(kText, [](const auto&) { return true; }),
            "setup\n"
            "task A\n"
            "schedule\n"
            "expect clean\n");
}

TEST(Minimizer, KeepsWhatTheFindingNeedsAndMakesItPlain) {
  EXPECT_EQ(minimized(kText,
                      [](const program::Program& candidate) {
                        const auto& bugs = candidate.bugs;
                        return calls_of(candidate, "write") > 0 &&
                               candidate.tasks.size() > 1 &&
                               candidate.schedule.switches.size() == 1 &&
                               bugs.has(Bug::kCowCopyUnlocked);
                      }),
            "bug cow_copy_unlocked\n"
            "setup\n"
            "  write - - 0 0\n"
            "task A\n"
            "task B\n"
            "schedule\n"
            "  A 3 -> B\n"
            "expect clean\n");
}

TEST(Minimizer, StopsWhenItIsTold) {
  RuleProbe probe([](const auto&) { return true; });
  int asked = 0;
  int smaller = 0;
  Minimizer minimizer(program_of(kText), probe,
                      {.stop = [&] { return ++asked > 2; },
                       .is_smaller = [&](const auto&) { ++smaller; }});
  const Minimized count = minimizer.minimize();
  EXPECT_TRUE(count.stopped);
  EXPECT_EQ(count.kept, 2u);
  EXPECT_EQ(smaller, 2);
}

// Real runs: the smallest program and schedule that show the bug.
TEST(Minimizer, FindsTheShortestScheduleOfAFinding) {
  const program::Program program = program_of(
      "bug wp_page_copied_when_locked\n"
      "machine frames=64\n"
      "setup\n"
      "  p0 = process\n"
      "  m0 = mmap p0 2 rw private\n"
      "  write p0 m0 0 0\n"
      "  k0 = pin p0 m0 0 write\n"
      "  mprotect p0 m0 0 1 r\n"
      "  mprotect p0 m0 0 1 rw\n"
      "task A\n"
      "  read p0 m0 1 0\n"
      "  write p0 m0 0 0\n"
      "  read p0 m0 1 0\n"
      "task B\n"
      "  pin_write k0 0\n"
      "  pin_write k0 1\n"
      "  pin_write k0 1\n"
      "task C\n"
      "  write p0 m0 1 3\n"
      "schedule strategy=portfolio seed=1\n");
  ProcessProbe probe(
      "data | data: a page that is pinned to be written is its owner's no more");
  program::Program shown = program;
  ASSERT_TRUE(probe.shows(shown, 20000));
  Minimizer minimizer(shown, probe,
                      {.stop = [] { return false; }, .is_smaller = [](const auto&) {}});
  minimizer.minimize();
  const program::Program& best = minimizer.program();
  EXPECT_EQ(best.tasks.size(), 2u);
  EXPECT_LE(best.calls(), 9u);
  EXPECT_LE(best.schedule.switches.size(), 3u);
  EXPECT_EQ(best.machine.frames, MachineOptions().frames);
  program::Program again = best;
  EXPECT_TRUE(probe.shows(again, 0));
}

// Without the first munmap it takes three.
TEST(Minimizer, ACallMoreMaySavePreemptions) {
  const program::Program program = program_of(
      "machine rmap=anon_vma_chain\n"
      "bug put_anon_vma_sleeps_in_rcu\n"
      "setup\n"
      "  p0 = process\n"
      "  m0 = mmap p0 2 rw private\n"
      "  write p0 m0 0 0\n"
      "task A\n"
      "  page_referenced p0 m0 0\n"
      "task B\n"
      "  munmap p0 m0 1 1\n"
      "  munmap p0 m0 0 1\n"
      "schedule strategy=portfolio seed=1\n");
  ProcessProbe probe(
      "atomic-sleep | BUG: sleeping function called from invalid context in "
      "free_anon_vma");
  program::Program shown = program;
  ASSERT_TRUE(probe.shows(shown, 20000));
  Minimizer minimizer(shown, probe,
                      {.stop = [] { return false; }, .is_smaller = [](const auto&) {}});
  minimizer.minimize();
  EXPECT_LE(probe.preemptions(minimizer.program()), 2);
}

// Without a switch another one has to come at another step.
TEST(Minimizer, ASwitchMayMove) {
  const program::Program program = program_of(
      "machine lookup=per_vma\n"
      "bug recycled_vma_mm_uaf\n"
      "setup\n"
      "  p0 = process\n"
      "  m0 = mmap p0 2 rw private\n"
      "  write p0 m0 0 0\n"
      "  p1 = clone p0\n"
      "  p2 = process\n"
      "task A\n"
      "  write p0 m0 1 0\n"
      "task B\n"
      "  munmap p1 m0 0 2\n"
      "  m1 = mmap p2 1 rw private\n"
      "  exit p2\n"
      "schedule\n"
      "  A 9 -> B\n"
      "  B 58 -> A\n"
      "  A 10 -> B\n"
      "  B 59 -> A\n"
      "  A 12 -> B\n"
      "  B 70 -> A\n"
      "  A 13 -> B\n");
  ProcessProbe probe("");
  program::Program shown = program;
  ASSERT_TRUE(probe.shows(shown, 0));
  ASSERT_GT(probe.preemptions(shown), 4);
  const std::uint64_t in_order = 1;
  Minimizer minimizer(shown, probe,
                      {.stop = [] { return false; }, .is_smaller = [](const auto&) {}},
                      in_order);
  minimizer.minimize();
  EXPECT_LE(probe.preemptions(minimizer.program()), 4);
}

TEST(ProcessProbe, IsStoppedBetweenExecutions) {
  int asked = 0;
  ProcessProbe probe("", [&] { return ++asked > 3; });
  program::Program clean = program_of(
      "setup\n  p0 = process\n  m0 = mmap p0 1 rw private\n"
      "task A\n  write p0 m0 0 0\ntask B\n  write p0 m0 0 0\n");
  EXPECT_FALSE(probe.shows_within(clean, 2, 1'000'000));
  EXPECT_EQ(asked, 4);
}

// The schedule of a run before it, of more tasks, is not taken for that of one which
// ended in its set-up.
TEST(ProcessProbe, WhatTheSetUpShowsHasNoSchedule) {
  program::Program racing = program_of(
      "setup\n  p0 = process\n  m0 = mmap p0 1 rw private\n"
      "task A\n  write p0 m0 0 0\ntask B\n  write p0 m0 0 0\n"
      "schedule strategy=random_walk seed=1\n");
  program::Program failing = program_of(
      "machine rmap=anon_vma_rwsem\nbug notifier_called_in_gather\n"
      "setup\n  p0 = process\n  m0 = mmap p0 1 rw private\n"
      "  s0 = mmu_notifier_register p0 sleeping\n  munmap p0 m0 0 1\n"
      "task A\n  read p0 m0 0 0\n");
  ProcessProbe probe("");
  EXPECT_FALSE(probe.shows(racing, 1));
  ASSERT_TRUE(probe.shows(failing, 1));
  EXPECT_TRUE(failing.schedule.switches.empty());
  EXPECT_TRUE(program::validate(failing).empty());
}

}  // namespace
}  // namespace racier::repro
