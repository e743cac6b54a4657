#include "repro/explain_tracks.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "core/runtime/sanitizers.h"
#include "repro/explained_for_test.h"
#include "repro/program_file.h"

namespace racier::repro {
namespace {

using Json = nlohmann::ordered_json;

// What the Trace Event Format asks of an event of each phase.
void check_fields(const Json& event) {
  SCOPED_TRACE(event.dump());
  ASSERT_TRUE(event.is_object());
  EXPECT_TRUE(event.at("name").is_string());
  EXPECT_TRUE(event.at("pid").is_number_integer());
  EXPECT_TRUE(event.at("tid").is_number_integer());
  EXPECT_TRUE(event.at("ts").is_number_integer());
  EXPECT_GE(event.at("ts"), 0);
  const std::string phase = event.at("ph");
  if (phase == "X") {
    EXPECT_GE(event.at("dur"), 1);
  } else if (phase == "M") {
    EXPECT_EQ(event.at("args").size(), 1u);
  } else if (phase == "i") {
    EXPECT_TRUE((std::set<std::string>{"g", "p", "t"}.contains(event.at("s"))));
  } else if (phase == "C") {
    EXPECT_TRUE(event.at("args").at("value").is_number());
  } else if (phase == "f") {
    EXPECT_EQ(event.at("bp"), "e");
    EXPECT_TRUE(event.contains("id") && event.contains("cat"));
  } else {
    EXPECT_TRUE((std::set<std::string>{"s", "b", "e"}.contains(phase)));
    EXPECT_TRUE(event.contains("id") && event.contains("cat"));
  }
}

// What begins ends, later or at once, under the same name.
void check_pairs(const Json& events, const char* begin, const char* end) {
  std::map<int, Json> begun;
  for (const Json& event : events) {
    if (event["ph"] == begin) EXPECT_TRUE(begun.emplace(event["id"], event).second);
  }
  std::size_t ended = 0;
  for (const Json& event : events) {
    if (event["ph"] != end) continue;
    ++ended;
    ASSERT_TRUE(begun.contains(event["id"])) << event.dump();
    const Json& first = begun[event["id"]];
    EXPECT_LE(first["ts"], event["ts"]);
    EXPECT_EQ(first["name"], event["name"]);
    EXPECT_EQ(first["cat"], event["cat"]);
  }
  EXPECT_EQ(ended, begun.size());
}

// Slices of one track lie inside of each other, or apart.
void check_nesting(const Json& events) {
  std::map<int, std::vector<std::pair<int, int>>> tracks;
  for (const Json& event : events) {
    if (event["ph"] != "X") continue;
    const int begin = event["ts"], length = event["dur"];
    auto& slices = tracks[event["tid"]];
    for (const auto& [other, other_end] : slices) {
      const int end = begin + length;
      EXPECT_TRUE(end <= other || other_end <= begin ||
                  (other <= begin && end <= other_end) ||
                  (begin <= other && other_end <= end))
          << event.dump();
    }
    slices.emplace_back(begin, begin + length);
  }
}

// (With a sanitizer, which makes it up to 20 times as long, for every fourth.)
TEST(ExplainTracks, AreTraceEventsForEveryRow) {
  const std::size_t each = sanitizers::tsan() || sanitizers::asan() ? 4 : 1;
  for (std::size_t i = 0; i < bug::rows().size(); i += each) {
    const bug::Row& row = bug::rows()[i];
    SCOPED_TRACE(row.name);
    const Json trace = Json::parse(explain_tracks(explained(row.name)));
    for (const Json& event : trace.at("traceEvents")) check_fields(event);
    check_pairs(trace["traceEvents"], "s", "f");
    check_pairs(trace["traceEvents"], "b", "e");
    check_nesting(trace["traceEvents"]);
  }
}

// The events of a phase, and of a category unless that is "".
std::vector<Json> of(const Json& trace, const char* phase,
                     const std::string& category) {
  std::vector<Json> events;
  for (const Json& event : trace["traceEvents"]) {
    if (event["ph"] != phase) continue;
    if (category.empty() || event.value("cat", "") == category) events.push_back(event);
  }
  return events;
}

TEST(ExplainTracks, EachTaskHasATrackWithItsCallsAndSteps) {
  const Explanation explanation = explained("anon_vma_freed_before_lock");
  const Json trace = Json::parse(explain_tracks(explanation));
  std::set<std::string> names;
  for (const Json& event : of(trace, "M", "")) {
    if (event["name"] == "thread_name") names.insert(event["args"]["name"]);
  }
  EXPECT_EQ(names, (std::set<std::string>{"task A", "task B", "rcu"}));
  const auto calls = of(trace, "X", "call");
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0]["name"], "page_referenced p0 m0 0");
  EXPECT_EQ(calls[0]["ts"], 1);
  EXPECT_EQ(calls[0]["dur"], 44);
  EXPECT_EQ(calls[1]["ts"], 15);
  EXPECT_EQ(calls[1]["dur"], 29);
  const std::size_t steps =
      of(trace, "X", "step").size() + of(trace, "X", "step,clash").size();
  EXPECT_EQ(steps, explanation.steps.size() - 1);
}

TEST(ExplainTracks, SwitchesLocksFlowsAndTheFindingAreThere) {
  const Json trace =
      Json::parse(explain_tracks(explained("anon_vma_freed_before_lock")));
  const auto turns = of(trace, "i", "schedule");
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_EQ(turns[0]["name"], "interrupted");
  EXPECT_EQ(turns[0]["ts"], 14);
  EXPECT_EQ(turns[0]["tid"], 1);
  EXPECT_EQ(turns[0]["args"]["next"], "B");
  const auto findings = of(trace, "i", "finding");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0]["name"], "KASAN: use-after-free Write in do_walk_anon");
  EXPECT_EQ(findings[0]["tid"], 1);
  bool holds_page = false, sees_mapcount = false, lock_after_unlock = false;
  for (const Json& event : of(trace, "b", "lock")) {
    holds_page = holds_page || event["name"] == "A holds page_lock of page 5";
  }
  for (const Json& event : of(trace, "s", "flow")) {
    sees_mapcount = sees_mapcount || event["name"] == "store to load";
    lock_after_unlock = lock_after_unlock || event["name"] == "unlock to lock";
  }
  EXPECT_TRUE(holds_page);
  EXPECT_TRUE(sees_mapcount);
  EXPECT_TRUE(lock_after_unlock);
  bool falls = false;
  for (const Json& event : of(trace, "C", "")) {
    falls =
        falls || (event["name"] == "page 5 mapcount" && event["args"]["value"] == -1);
  }
  EXPECT_TRUE(falls);
}

}  // namespace
}  // namespace racier::repro
