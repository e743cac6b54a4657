#include "repro/explain_page.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "repro/explained_for_test.h"
#include "repro/program_file.h"

namespace racier::repro {
namespace {

using Json = nlohmann::ordered_json;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) {
    ++count;
  }
  return count;
}

// Returns what is between two parts of a page.
std::string between(const std::string& page, const std::string& begin,
                    const std::string& end) {
  const std::size_t at = page.find(begin);
  EXPECT_NE(at, page.npos) << begin;
  const std::size_t start = at + begin.size();
  return page.substr(start, page.find(end, start) - start);
}

TEST(ExplainPage, NeedsNothingButItself) {
  const std::string page = explain_page(explained("anon_vma_freed_before_lock"));
  EXPECT_EQ(page.find("<!doctype html>"), 0u);
  for (const char* const outside :
       {"http:", "https:", " src=", " href=", "@import", "url("}) {
    EXPECT_EQ(page.find(outside), page.npos) << outside;
  }
}

TEST(ExplainPage, HasARowForEachStepAndItsData) {
  const Explanation explanation = explained("anon_vma_freed_before_lock");
  const std::string page = explain_page(explanation);
  const std::size_t steps = explanation.steps.size();
  EXPECT_EQ(count_of(page, "<tr id=\"s"), steps);
  EXPECT_EQ(count_of(page, "<tr class=\"turn\">"), 2u);
  EXPECT_EQ(count_of(page, " clash"), 2u + count_of(kPageScript.data(), " clash") +
                                          count_of(kPageStyle.data(), " clash"))
      << "who frees, and the finding";
  const Json data = Json::parse(between(page, "id=\"data\">", "</script>"));
  EXPECT_EQ(data["steps"].size(), steps);
  EXPECT_EQ(data["tasks"], (Json{"A", "B", "rcu"}));
  EXPECT_EQ(data["steps"][13]["holds"], Json{"page_lock of page 5"});
  EXPECT_EQ(data["steps"][13]["rcu"], true);
  EXPECT_EQ(data["steps"][14]["turn"], true);
}

TEST(ExplainPage, WhatItIsToldIsNoMarkup) {
  Explanation explanation = explained("anon_vma_freed_before_lock");
  explanation.finding.title = "</title><script>alert(1)</script> & \"more\"";
  explanation.steps.back().what = explanation.finding.title;
  const std::string page = explain_page(explanation);
  EXPECT_EQ(page.find("<script>alert"), page.npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"),
            page.npos);
  const Json data = Json::parse(between(page, "id=\"data\">", "</script>"));
  EXPECT_EQ(data["steps"].back()["what"], explanation.finding.title);
}

TEST(ExplainPage, EveryElementIsClosed) {
  const std::string page = explain_page(explained("lock_anon_vma_preempt_rcu"));
  const std::string body = between(page, "<body>", "<script");
  const std::regex tag("<(/?)([a-z0-9]+)[^>]*>");
  std::vector<std::string> open;
  for (std::sregex_iterator at(body.begin(), body.end(), tag), end; at != end; ++at) {
    const std::string name = (*at)[2];
    if ((*at)[1] == "") {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << name;
    ASSERT_EQ(open.back(), name);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

TEST(ExplainPage, WhatCanBeUsedHasAName) {
  const std::string page = explain_page(explained("anon_vma_freed_before_lock"));
  const std::regex button("<button [^>]*aria-keyshortcuts=\"[^\"]+\"[^>]*>[a-z]");
  const auto begin = std::sregex_iterator(page.begin(), page.end(), button);
  EXPECT_EQ(std::distance(begin, std::sregex_iterator()), 8);
  EXPECT_EQ(count_of(page, "<button "), 8u);
  for (const char* const named :
       {"<html lang=\"en\">", "<nav aria-label=",
        "<section id=\"run\" tabindex=\"0\" "
        "aria-label=",
        "<caption>", "<aside id=\"state\" aria-live=\"polite\" aria-label="}) {
    EXPECT_EQ(count_of(page, named), 1u) << named;
  }
}

}  // namespace
}  // namespace racier::repro
