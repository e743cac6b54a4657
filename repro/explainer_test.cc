// repro/explainer_test.cc - tests of explainer.h, clash.h and explanation.h.
#include "repro/explainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/program/parse.h"
#include "repro/clash.h"
#include "repro/explain_text.h"
#include "repro/explained_for_test.h"
#include "repro/program_file.h"
#include "repro/step_maker.h"

namespace racier::repro {
namespace {

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (std::size_t end; (end = text.find(separator, at)) != text.npos;
       at = end + separator.size()) {
    parts.push_back(text.substr(at, end - at));
  }
  parts.push_back(text.substr(at));
  return parts;
}

// What a signature names: the functions behind " in ", the locks of an order.
std::vector<std::string> sites_of(const std::string& signature) {
  const std::size_t order = signature.find("dependency: ");
  if (order != signature.npos) return split(signature.substr(order + 12), " -> ");
  const std::size_t in = signature.rfind(" in ");
  const std::string names = in == signature.npos ? "" : signature.substr(in + 4);
  return names.empty() || names.find(' ') != names.npos ? std::vector<std::string>{}
                                                        : split(names, " / ");
}

bool names(const Explanation& explanation, const std::string& site) {
  const auto has = [&site](const std::vector<std::string>& lines) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.find(site) != line.npos;
    });
  };
  return has(explanation.clash) || has(explanation.detail) ||
         std::any_of(explanation.steps.begin(), explanation.steps.end(),
                     [&](const ExplainedStep& step) { return step.function == site; });
}

TEST(Explainer, ExplainsEveryRow) {
  int sites = 0;
  for (const bug::Row& row : bug::rows()) {
    SCOPED_TRACE(row.name);
    const Explanation explanation = explained(row.name);
    ASSERT_FALSE(explanation.steps.empty());
    const std::string& title = explanation.finding.title;
    EXPECT_EQ(explanation.steps.back().what, title);
    EXPECT_NE(explanation.story.at(1).find(title), std::string::npos);
    EXPECT_EQ(explanation.rows.at(0).name, row.name);
    EXPECT_FALSE(explanation.first_bad.empty());
    for (const std::string& site : sites_of(explanation.finding.signature())) {
      EXPECT_TRUE(names(explanation, site)) << site;
      ++sites;
    }
    const std::string text = explain_text(explanation, {});
    EXPECT_NE(text.find(row.id), std::string::npos);
    EXPECT_EQ(text, explain_text(explained(row.name), {})) << "the same again";
  }
  EXPECT_GT(sites, 20);
}

TEST(Explainer, SaysThatTheCorrectCodeIsCleanOrNot) {
  int clean = 0;
  for (const bug::Row& row : bug::rows()) {
    const Explanation explanation = explained(row.name);
    const std::string sentence = std::string("With ") + row.id + " off the same ";
    ASSERT_EQ(explanation.story.back().find(sentence), 0u) << explanation.story.back();
    if (explanation.story.back().find("is clean") != std::string::npos) ++clean;
  }
  EXPECT_EQ(clean, kBugs);
}

TEST(Explainer, NamesTheStepsThatMet) {
  const Explanation explanation = explained("get_anon_double_alloc");
  ASSERT_EQ(explanation.clash.size(), 2u);
  EXPECT_NE(explanation.clash[0].find(", A in area_of "), std::string::npos);
  EXPECT_NE(explanation.clash[0].find(": reads mm 1 vma "), std::string::npos);
  EXPECT_NE(explanation.clash[1].find(", B in attach "), std::string::npos);
  EXPECT_NE(explanation.clash[1].find(" rmap: 0 → &slab anon_area"), std::string::npos);
  const auto marked =
      std::count_if(explanation.steps.begin(), explanation.steps.end(),
                    [](const ExplainedStep& step) { return step.clashes; });
  EXPECT_EQ(marked, 3) << "the two and the finding";
}

// C has told that it waits in exit_aio; then nobody wakes it.
TEST(Explainer, WhoWaitsWhenTheRunEndsWasNotInterrupted) {
  const Explanation explanation = explained("get_task_mm_borrowed");
  EXPECT_EQ(explanation.switches, 2);
  EXPECT_EQ(explanation.preemptions, 1);
}

TEST(Explainer, KnowsWhoFreedTheMemory) {
  const Explanation explanation = explained("anon_vma_freed_before_lock");
  ASSERT_EQ(explanation.clash.size(), 2u);
  EXPECT_NE(explanation.clash[0].find("B in do_unlink"), std::string::npos);
  EXPECT_EQ(explanation.steps.back().function, "do_walk_anon");
  EXPECT_EQ(explanation.tasks[static_cast<std::size_t>(explanation.steps.back().task)],
            "A");
  EXPECT_EQ(explanation.switches, 2);
  EXPECT_EQ(explanation.preemptions, 1);
  const ExplainedStep& last_of_a = explanation.steps[13];
  EXPECT_TRUE(last_of_a.in_rcu);
  EXPECT_TRUE(explanation.steps.back().in_rcu) << "the finding is in the same section";
  EXPECT_EQ(last_of_a.holds, std::vector<std::string>{"page_lock of page 5"});
}

TEST(Explainer, StepsSayLocksAndCounts) {
  const Explanation explanation = explained("anon_vma_freed_before_lock");
  const auto says = [&](const std::string& what) {
    return std::any_of(explanation.steps.begin(), explanation.steps.end(),
                       [&](const ExplainedStep& step) { return step.what == what; });
  };
  EXPECT_TRUE(says("locks mm 1 page_table_lock"));
  EXPECT_TRUE(says("unlocks mm 1 page_table_lock"));
  EXPECT_TRUE(says("page 5 mapcount: 0 → -1"));
  EXPECT_TRUE(says("reads page 5 mapcount = 0"));
  EXPECT_TRUE(says("reads page 5 mapping = &slab anon_vma | 1"));
  EXPECT_TRUE(says("mm 1 pte [495]: page 5 rw dirty young → none"));
}

// Behind its last step a task is unwound: what that did to locks is not seen.
TEST(Explainer, TheLastStepOfATaskThatIsCutOffSaysItsLock) {
  const Explanation explanation = explained("unlink_sleeps_in_mmu_gather");
  EXPECT_EQ(explanation.steps.at(explanation.steps.size() - 2).what,
            "unlocks mm 1 page_table_lock");
}

program::Program parsed(const std::string& text) {
  const program::Parsed parsed = program::parse(text);
  EXPECT_TRUE(parsed.program) << parsed.error.str("program");
  return *parsed.program;
}

TEST(Explainer, ACleanProgramHasNothingToExplain) {
  EXPECT_FALSE(explain(parsed("setup\n  p0 = process\n"), "clean"));
}

TEST(Explainer, WhatIsFoundInTheSetUpIsToldAsATask) {
  const std::string calls =
      "  p0 = process\n"
      "  m0 = mmap p0 2 rw private\n"
      "  write p0 m0 0 0\n";
  for (const char* const task : {"", "task A\n  read p0 m0 0 0\n"}) {
    const auto explanation = explain(
        parsed("bug prepare_ptl_before_anonlock\nsetup\n" + calls + task), "set-up");
    ASSERT_TRUE(explanation);
    EXPECT_EQ(explanation->calls_of_tasks(), 3);
    EXPECT_EQ(explanation->phase, program::Phase::kTasks);
    EXPECT_GT(explanation->steps.size(), 20u);
  }
}

// A task waits for a lock that another one holds when it is interrupted.
TEST(Explainer, AWaitIsNoPreemption) {
  program::Program program = parsed(
      "bug anon_vma_freed_before_lock\n"
      "setup\n"
      "  p0 = process\n"
      "  m0 = mmap p0 2 rw private\n"
      "  write p0 m0 0 0\n"
      "task A\n"
      "  page_referenced p0 m0 0\n"
      "task B\n"
      "  munmap p0 m0 0 1\n"
      "task C\n"
      "  munmap p0 m0 1 1\n"
      "schedule strategy=pos seed=1\n");
  for (std::uint64_t seed = 1; seed < 300; ++seed) {
    program.schedule.seed = seed;
    const auto explanation = explain(program, "waits");
    if (!explanation) continue;
    for (std::size_t i = 1; i < explanation->steps.size(); ++i) {
      const ExplainedStep& before = explanation->steps[i - 1];
      const ExplainedStep& step = explanation->steps[i];
      if (before.waits_for.empty() || step.turn == Turn::kGoesOn) continue;
      EXPECT_EQ(before.what, "waits for " + before.waits_for);
      if (step.turn == Turn::kSwitch && !step.finding) return;
    }
  }
  FAIL() << "no seed lets a task wait";
}

TEST(Explainer, ADeathIsToldAsFarAsItCame) {
  const std::string file =
      RACIER_SOURCE_DIR "/corpus/bugs/anon_vma_freed_before_lock.racier";
  const program::Program program = read_program(file).program;
  EXPECT_EQ(run_for(program, 20), 20u);
  const Explanation explanation = explain_death(program, file, "signal 11", 20);
  ASSERT_EQ(explanation.steps.size(), 21u);
  EXPECT_EQ(explanation.finding.title, "the process ended: signal 11");
  EXPECT_EQ(explanation.steps.back().task, 1);
  const Explanation whole = explain_death(program, file, "signal 11", 1000);
  EXPECT_EQ(whole.steps.size(), explained("anon_vma_freed_before_lock").steps.size());
}

TEST(Explainer, OfALongRunTheEndIsTold) {
  std::string text =
      "machine rmap=anon_vma_chain\n"
      "bug fork_error_forgets_vma\n"
      "setup\n"
      "  p0 = process\n"
      "  m0 = mmap p0 2 rw private\n"
      "  write p0 m0 0 0\n"
      "task A\n";
  for (int i = 0; i < 6'000; ++i) text += "  write p0 m0 0 0\n";
  text += "  p1 = fork p0 (fail_nth: 4)\n";
  const auto explanation = explain(parsed(text), "long");
  ASSERT_TRUE(explanation);
  EXPECT_EQ(explanation->finding.kind, FindingKind::kLeak);
  EXPECT_EQ(explanation->steps.size(), kStepsTold + 1);
  EXPECT_GT(explanation->skipped, 1'000);
  const ExplainedStep& first = explanation->steps.front();
  EXPECT_GT(first.number, 1'000u);
  EXPECT_EQ(explanation->calls[static_cast<std::size_t>(first.call)].text,
            "write p0 m0 0 0");
  for (const ExplainedStep& step : explanation->steps) {
    EXPECT_LE(step.holds.size(), 3u);
    EXPECT_LT(step.from, static_cast<int>(kStepsTold));
  }
  const std::string told = explain_text(*explanation, {});
  EXPECT_LT(std::count(told.begin(), told.end(), '\n'), 60) << "calls are folded, too";
  EXPECT_NE(told.find(" steps before\n"), std::string::npos);
}

TEST(Clash, OfADeadlockIsItsCycle) {
  Explanation explanation;
  explanation.tasks = {"A", "B", "rcu"};
  explanation.finding.kind = FindingKind::kDeadlock;
  explanation.phase = program::Phase::kTasks;
  explanation.detail = {"a cycle of waiting:", "  task A waits for x in f (f.cc:1)"};
  explanation.steps.resize(4);
  explanation.steps[0].task = 0;
  explanation.steps[0].waits_for = "x";
  explanation.steps[1].task = 1;
  explanation.steps[2].task = 1;
  explanation.steps[2].waits_for = "y";
  explanation.steps[3].task = -1;
  explanation.steps[3].finding = true;
  find_clash(explanation, {}, -1);
  EXPECT_EQ(explanation.clash, explanation.detail);
  EXPECT_TRUE(explanation.steps[0].clashes);
  EXPECT_FALSE(explanation.steps[1].clashes);
  EXPECT_TRUE(explanation.steps[2].clashes);
  EXPECT_EQ(explanation.first_bad.find("then all tasks"), 0u);
  tell_story(explanation);
  EXPECT_NE(explanation.story.back().find("Then nobody can go on"), std::string::npos);
}

TEST(Clash, OfADataRaceIsAtThePlacesOfTheReport) {
  Explanation explanation;
  explanation.tasks = {"A", "B", "rcu"};
  explanation.finding.kind = FindingKind::kDataRace;
  explanation.phase = program::Phase::kTasks;
  explanation.detail = {"  write of 8 bytes by task A", "    f (x.cc:1)",
                        "  read of 8 bytes by task B", "    g (x.cc:22)"};
  explanation.steps.resize(5);
  const char* const places[] = {"x.cc:1", "x.cc:1", "x.cc:22", "x.cc:2", ""};
  for (std::size_t i = 0; i < 5; ++i) {
    explanation.steps[i].place = places[i];
    explanation.steps[i].task = i < 2 ? 0 : 1;
  }
  explanation.steps[4].finding = true;
  find_clash(explanation, {}, -1);
  EXPECT_EQ(explanation.clash, explanation.detail);
  std::vector<bool> marked;
  for (const ExplainedStep& step : explanation.steps) marked.push_back(step.clashes);
  EXPECT_EQ(marked, (std::vector<bool>{false, true, true, false, false}));
}

}  // namespace
}  // namespace racier::repro
