// core/program/agree_test.cc
#include "core/program/agree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/program/generate.h"
#include "core/program/parse.h"
#include "core/program/print.h"
#include "core/rmap/scheme.h"
#include "core/runtime/fiber_runtime.h"

namespace racier::program {
namespace {

namespace fs = std::filesystem;

Program parsed(const std::string& text) {
  const Parsed parsed = parse(text);
  EXPECT_TRUE(parsed.program) << parsed.error.str("text");
  return parsed.program.value_or(Program());
}

// Returns the calls of a program's first task, a line each, without blanks before them.
std::string calls_of(const Program& program) {
  Program bare;
  bare.tasks = program.tasks;
  std::string text = print(bare);
  text.erase(0, text.find("task A\n") + 7);
  std::erase(text, ' ');
  return text.substr(0, text.find("expect"));
}

class Agree : public testing::Test {
 protected:
  void expect_agreement(const Program& program) {
    const auto found = agreement_.check(program);
    if (!found) return;
    ADD_FAILURE() << found->program.machine.rmap << ", " << phase_name(found->phase)
                  << ": " << found->finding.signature() << "\n"
                  << found->finding.detail << "\n"
                  << print(found->program);
  }

  void expect_agreement_of(const char* folder, std::uint64_t seeds) {
    const fs::path path = fs::path(RACIER_SOURCE_DIR) / "corpus" / folder;
    int compared = 0;
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.path().extension() != ".racier") continue;
      SCOPED_TRACE(entry.path());
      std::ifstream in(entry.path(), std::ios::binary);
      Program program = parsed(std::string(std::istreambuf_iterator<char>(in), {}));
      for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        program.schedule.seed = seed;
        expect_agreement(program);
      }
      ++compared;
    }
    EXPECT_GT(compared, 0);
  }

  // Returns how the two programs, of one task, differ, each on a design of its own.
  std::string difference_of(const std::string& a, const std::string& b) {
    const Program first = one_after_another(parsed(a));
    const Program second = one_after_another(parsed(b));
    return difference(first, agreement_.see(first, "anon_vma_spin"),
                      agreement_.see(second, "pte_chain"));
  }

  // Returns the difference that a change of what was seen makes.
  std::string difference_after(const std::string& text, void (*change)(Seen&)) {
    const Program program = one_after_another(parsed(text));
    const Seen seen = agreement_.see(program, "anon_area");
    Seen other = seen;
    change(other);
    return difference(program, seen, other);
  }

  FiberRuntime alone_;
  FiberRuntime tasks_;
  Agreement agreement_{alone_, tasks_};
};

// ---- One after another --------------------------------------------------------------

constexpr const char* kTwoTasks = R"(
machine rmap=pte_chain frames=64
setup
  p0 = process
  m0 = mmap p0 1 rw private
task A
  p1 = fork p0 (fail_nth: 1)
  write p1 m0 0 0
task B
  p2 = fork p0
  write p2 m0 0 1
)";

TEST_F(Agree, CallsKeepTheOrderOfTheirTasksAndWhatTheyMean) {
  const Program program = parsed(kTwoTasks);
  std::vector<std::string> seen;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Program seeded = program;
    seeded.schedule.seed = seed;
    seen.push_back(calls_of(one_after_another(seeded)));
  }
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  const std::string setup = "p0=process\nm0=mmapp01rwprivate\n";
  const std::string forks = "p1=forkp0\np2=forkp0\n";
  // Whoever forks first makes p1.
  std::vector<std::string> wanted{
      setup + forks + "writep1m000\nwritep2m001\n",
      setup + forks + "writep2m001\nwritep1m000\n",
      setup + forks + "writep2m000\nwritep1m001\n",
      setup + forks + "writep1m001\nwritep2m000\n",
      setup + "p1=forkp0\nwritep1m000\np2=forkp0\nwritep2m001\n",
      setup + "p1=forkp0\nwritep1m001\np2=forkp0\nwritep2m000\n"};
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(seen, wanted);
}

TEST_F(Agree, NothingIsLeftThatMakesDesignsDiffer) {
  Program program = parsed(kTwoTasks);
  program.machine.weak_memory = true;
  const Program ordered = one_after_another(program);
  EXPECT_GE(ordered.machine.frames, 4096u);
  EXPECT_FALSE(ordered.machine.weak_memory);
  EXPECT_EQ(ordered.tasks.size(), 1u);
  for (const Call& call : ordered.tasks.front()) EXPECT_EQ(call.fail_nth, 0);
}

// ---- Differences --------------------------------------------------------------------

const std::string kBegin = R"(
task A
  p0 = process
  m0 = mmap p0 4 rw private
  write p0 m0 0 0
  p1 = fork p0
)";

const std::string kTaken = "  unmap_page p0 m0 0\n";

TEST_F(Agree, TheSameIsNoDifference) {
  const std::string text = kBegin + "  write p1 m0 0 1\n  unmap_page p0 m0 0\n";
  EXPECT_EQ(difference_of(text, text), "");
}

TEST_F(Agree, AnotherOutcomeIsOne) {
  EXPECT_EQ(difference_of(kBegin + "  read p1 m0 0 0\n", kBegin + "  read p1 m0 0 1\n"),
            "anon_vma_spin / pte_chain: `read p1 m0 0 0`: 0x10000000003 / 0");
}

// ... unless pages were taken away: then it depends on whose.
TEST_F(Agree, AnotherFaultIsOne) {
  const auto unequal = [](Seen& seen) { seen.outcomes[2].error_code = 7; };
  EXPECT_NE(difference_after(kBegin, unequal), "");
  EXPECT_EQ(difference_after(kBegin + kTaken, unequal), "");
}

TEST_F(Agree, AnotherPteIsOne) {
  const auto unequal = [](Seen& seen) { seen.ptes.front().flags = 7; };
  EXPECT_NE(difference_after(kBegin, unequal), "");
  EXPECT_EQ(difference_after(kBegin + kTaken, unequal), "");
}

TEST_F(Agree, AnotherSharerIsOne) {
  const auto unequal = [](Seen& seen) { seen.pages[1].first_sharer = 1; };
  EXPECT_NE(difference_after(kBegin, unequal), "");
  EXPECT_NE(difference_after(kBegin + kTaken, unequal), "");
}

TEST_F(Agree, WhatTookPagesAwayMayHaveTakenOthers) {
  EXPECT_EQ(difference_of(kBegin + "  unmap_page p0 m0 0\n",
                          kBegin + "  unmap_page p0 m0 1\n"),
            "");
  EXPECT_EQ(difference_of(kBegin + kTaken + "  page_referenced p0 m0 0\n",
                          kBegin + kTaken + "  page_referenced p0 m0 1\n"),
            "");
}

TEST_F(Agree, WhetherAPageWasUsedIsSeenUntilThen) {
  EXPECT_NE(difference_of(kBegin + "  page_referenced p0 m0 0\n",
                          kBegin + "  page_referenced p0 m0 1\n"),
            "");
}

TEST_F(Agree, OtherMappingsAreOne) {
  const std::string text =
      difference_of(kBegin + "  munmap p1 m0 2 1\n", kBegin + "  munmap p1 m0 3 1\n");
  EXPECT_NE(text.find(": mapping 1: mm 2 pages "), text.npos) << text;
}

TEST_F(Agree, PartsThatAreAlikeAreOneMapping) {
  EXPECT_EQ(difference_of(kBegin + "  mprotect p1 m0 1 1 r\n  mprotect p1 m0 1 1 rw\n",
                          kBegin + "  mprotect p1 m0 2 1 r\n  mprotect p1 m0 2 1 rw\n"),
            "");
}

TEST_F(Agree, OtherBytesAreOne) {
  const std::string text =
      difference_of(kBegin + "  write p1 m0 0 1\n", kBegin + "  write p1 m0 0 2\n");
  EXPECT_NE(text.find(": page 1: mm 2 page "), text.npos) << text;
}

// The armed bug is anon_vma_chain's alone.
TEST_F(Agree, WhatOneDesignFindsIsFound) {
  const Program program = parsed(R"(
task A
  p0 = process
  m0 = mmap p0 1 rw private
  write p0 m0 0 0
  p1 = fork p0
  page_referenced p0 m0 0
  unmap_page p0 m0 0
  reclaim 4
  read p1 m0 0 0
  read p0 m0 0 0
  exit p1
)");
  EXPECT_FALSE(agreement_.check(program));
  BugSet bugs;
  bugs.arm(Bug::kSwapinYoungestAnonVma);
  agreement_.arm(bugs);
  const auto found = agreement_.check(program);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->finding.kind, FindingKind::kRmap);
  EXPECT_EQ(found->program.machine.rmap, "anon_vma_chain");
}

TEST_F(Agree, WithLittleMemoryLeftNothingIsCompared) {
  std::string text = "task A\n  p0 = process\n  m0 = mmap p0 4000 rw private\n";
  for (int page = 0; page < 3072; ++page) {
    text += "  write p0 m0 " + std::to_string(page) + " 0\n";
  }
  EXPECT_FALSE(agreement_.check(parsed(text)));
  EXPECT_EQ(agreement_.counts().not_compared(), 1u);
}

// ---- Lookups ------------------------------------------------------------------------

// How a fault finds its vma is no matter of what users see, either.
TEST_F(Agree, LookupsOfRandomPrograms) {
  GenerateOptions options;
  options.tasks = 3;
  options.task_calls = 10;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Program program = one_after_another(generate(seed, options));
    program.machine.period.lookup = VmaLookup::kTree;
    const Seen tree = agreement_.see(program, "anon_vma_chain");
    for (const VmaLookup lookup : {VmaLookup::kMmapCache, VmaLookup::kKamezawa,
                                   VmaLookup::kPerVma, VmaLookup::kVmacache}) {
      program.machine.period.lookup = lookup;
      const Seen other = agreement_.see(program, "anon_vma_chain");
      ASSERT_FALSE(other.finding) << other.finding->signature() << "\n"
                                  << print(program);
      ASSERT_EQ(difference(program, tree, other), "") << print(program);
    }
  }
}

// ---- Designs ------------------------------------------------------------------------

TEST_F(Agree, AllProgramsOfTheCorpus) {
  expect_agreement_of("programs", 8);
  expect_agreement_of("found", 8);
  expect_agreement_of("bugs", 8);
}

TEST_F(Agree, RecordingsOfRealPrograms) { expect_agreement_of("traces", 1); }

TEST_F(Agree, RandomPrograms) {
  GenerateOptions options;
  options.tasks = 3;
  options.task_calls = 10;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(generate(seed, options));
    if (HasFailure()) return;
  }
  EXPECT_LE(agreement_.counts().not_compared(), 10u);
}

}  // namespace
}  // namespace racier::program
