#include "repro/explain_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace racier::repro {
namespace {

ExplainedStep step_of(int task, std::uint32_t number, std::string what) {
  ExplainedStep step;
  step.task = task;
  step.number = number;
  step.call = task;
  step.function = "zap_pte";
  step.place = "zap.cc:51";
  step.what = std::move(what);
  return step;
}

// Two tasks; B interrupts A, which then finds something.
Explanation example() {
  Explanation to;
  to.finding.kind = FindingKind::kUseAfterFree;
  to.finding.title = "KASAN: use-after-free Write in zap_pte";
  to.phase = program::Phase::kTasks;
  to.where = "zap_pte (zap.cc:51), task A, step 6 of it";
  to.rows = {{"B09", "a_row", "Nothing keeps the page.", "2.6.9"}};
  to.tasks = {"A", "B", "rcu"};
  to.calls = {{0, "p0 = process"}, {1, "read p0 m0 0 0"}, {2, "munmap p0 m0 0 1"}};
  to.story = {"A is interrupted."};
  to.clash = {"step 3, A in zap_pte", "step 6, B in zap_pte"};
  for (std::uint32_t i = 0; i < 6; ++i) {
    to.steps.push_back(step_of(0, i, i == 0 ? "starts" : "reads page 5 count = 1"));
  }
  to.steps[5].holds = {"mm 1 mmap_sem"};
  to.steps[5].notable = to.steps[1].notable = true;
  to.steps.push_back(step_of(1, 1, "page 5 count: 1 → 0"));
  to.steps.back().turn = Turn::kPreempts;
  to.steps.back().notable = to.steps.back().clashes = true;
  to.steps.push_back(step_of(0, 6, to.finding.title));
  to.steps.back().turn = Turn::kSwitch;
  to.steps.back().finding = to.steps.back().clashes = to.steps.back().notable = true;
  for (ExplainedStep& step : to.steps) step.call = step.task + 1;
  to.switches = 2;
  to.preemptions = 1;
  return to;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

TEST(ExplainText, TheHeadSaysWhatWasFound) {
  const std::string text = explain_text(example(), {});
  for (const char* const part :
       {"finding    KASAN: use-after-free Write in zap_pte",
        "signature  use-after-free | KASAN: use-after-free in zap_pte",
        "armed      B09 a_row (2.6.9): Nothing keeps the page.",
        "run        2 tasks, 2 calls, 7 steps, 2 switches (1 of a task that could have "
        "gone "
        "on)",
        "clash      step 3, A in zap_pte", "set-up     p0 = process"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(ExplainText, EachTaskHasAColumn) {
  const auto lines = lines_of(explain_text(example(), {.width = 80}));
  const auto at = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("task A") != line.npos && line.find("task B") != line.npos;
  });
  ASSERT_NE(at, lines.end());
  const std::size_t b = at->find("task B");
  const auto call = std::find_if(at, lines.end(), [](const std::string& line) {
    return line.find("`munmap p0 m0 0 1`") != line.npos;
  });
  ASSERT_NE(call, lines.end());
  EXPECT_EQ(call->find('`'), b);
  EXPECT_EQ(call->substr(0, 6), "   6! ");
}

TEST(ExplainText, SwitchesSayWhoHoldsWhat) {
  const std::string text = explain_text(example(), {});
  EXPECT_NE(text.find("── A is interrupted, holds mm 1 mmap_sem; B runs ──"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("── A runs ──"), std::string::npos);
}

TEST(ExplainText, WhatTellsNothingIsFolded) {
  const Explanation explanation = example();
  EXPECT_NE(explain_text(explanation, {}).find("… 3 steps of A"), std::string::npos);
  const std::string all = explain_text(explanation, {.all = true});
  EXPECT_EQ(all.find("…"), std::string::npos);
  EXPECT_NE(all.find("\n   3  "), std::string::npos) << all;
  EXPECT_EQ(explain_text(explanation, {}).find("\n   3  "), std::string::npos);
}

TEST(ExplainText, NoLineIsWiderThanItIsToBe) {
  for (const int width : {40, 60, 80, 137}) {
    for (const std::string& line :
         lines_of(explain_text(example(), {.width = width}))) {
      EXPECT_LE(columns(line), static_cast<std::size_t>(width)) << line;
    }
  }
}

TEST(ExplainText, NarrowTasksShareAColumn) {
  const std::string text = explain_text(example(), {.width = 40});
  EXPECT_EQ(text.find("task B"), std::string::npos);
  EXPECT_NE(text.find("\n      B  zap_pte zap.cc:51\n"), std::string::npos) << text;
}

TEST(ExplainText, ColoursOnlyIfToldTo) {
  EXPECT_EQ(explain_text(example(), {}).find('\033'), std::string::npos);
  EXPECT_NE(explain_text(example(), {.colour = true}).find("\033[1;31m"),
            std::string::npos);
}

}  // namespace
}  // namespace racier::repro
