// repro/hunt_columns_test.cc
#include "repro/hunt_columns.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "repro/files.h"

namespace racier::repro {
namespace {

using Json = nlohmann::ordered_json;

const bug::Row* named(const char* id) { return &bug::row(*bug::find(id)); }

SearchResult search_of(std::uint64_t executions, SearchEnd end) {
  SearchResult search;
  search.seed = 1;
  search.executions = executions;
  search.seconds = 0.25;
  search.end = end;
  if (end != SearchEnd::kFound) return search;
  search.kind = "rmap";
  search.title = "a title";
  return search;
}

// Executions of searches; 0: of one that found nothing.
Hunted hunted(const std::vector<std::uint64_t>& executions) {
  Hunted hunted;
  hunted.unarmed = search_of(0, SearchEnd::kExecutions);
  for (const std::uint64_t count : executions) {
    hunted.searches.push_back(
        search_of(count == 0 ? 900 : count,
                  count == 0 ? SearchEnd::kExecutions : SearchEnd::kFound));
  }
  return hunted;
}

HuntColumn column(StrategyKind strategy) {
  HuntColumn column;
  column.build = "release";
  column.limits.recipe.strategy = strategy;
  column.limits.search = {900, std::chrono::seconds(30)};
  return column;
}

HuntColumn column(HuntEngine engine, const std::string& build) {
  HuntColumn column;
  column.engine = engine;
  column.build = build;
  column.limits.search.time = std::chrono::seconds(60);
  return column;
}

std::vector<HuntColumn> two_strategies() {
  std::vector<HuntColumn> columns = {column(StrategyKind::kPos),
                                     column(StrategyKind::kPct)};
  for (HuntColumn& one : columns) one.limits.repeat = 3;
  columns[0].quarries = {{named("B07"), hunted({12, 30, 4})},
                         {named("B06"), hunted({0, 0, 0})},
                         {named("B25"), {}}};
  columns[1].quarries = {{named("B07"), hunted({0, 0, 8})},
                         {named("B06"), hunted({0, 0, 0})},
                         {named("B25"), hunted({5, 0, 7})}};
  columns[1].quarries[1].hunted->others = 2;
  return columns;
}

TEST(HuntColumns, TitlesNameTheBuildWhereItMatters) {
  EXPECT_EQ(column(StrategyKind::kPos).title(), "pos");
  EXPECT_EQ(column(HuntEngine::kThreads, "release").title(), "threads release");
  EXPECT_EQ(column(HuntEngine::kThreads, "tsan").title(), "threads tsan");
  EXPECT_EQ(column(HuntEngine::kLibfuzzer, "release").title(), "libfuzzer");
  EXPECT_EQ(column(HuntEngine::kLibfuzzer, "asan").title(), "libfuzzer asan");
  HuntColumn other = column(StrategyKind::kPortfolio);
  other.machine = "per_vma";
  EXPECT_EQ(other.title(), "per_vma");
}

TEST(HuntColumns, StrategiesOfMoreThanOneSchedule) {
  const std::vector<StrategyKind> strategies = searching_strategies();
  EXPECT_EQ(strategies.size(), static_cast<std::size_t>(kStrategyKinds - 2));
  EXPECT_EQ(strategies.front(), StrategyKind::kRandomWalk);
  EXPECT_EQ(strategies.back(), StrategyKind::kPortfolio);
}

TEST(HuntColumns, ATableHasALineForEachRowAndAColumnForEachStrategy) {
  EXPECT_EQ(columns_table(two_strategies(), 2),
            "executions until it is found; release build, at most 900 executions and "
            "30 s, median of 3 searches\n"
            "bug                             pos      pct\n"
            "B07 remove_rmap_clears_mapping   12    (1/3)\n"
            "B25 anon_put_before_unmap            7 (2/3)\n"
            "B06 anon_flag_and_mapping_torn    -    other\n"
            "found                             1        2\n"
            "NOT FOUND: B06 anon_flag_and_mapping_torn\n"
            "2 of 3 rows found by one or more; 2.0 s in all\n");
  EXPECT_FALSE(all_found(two_strategies()));
  std::vector<HuntColumn> columns = two_strategies();
  for (HuntColumn& one : columns) one.quarries.erase(one.quarries.begin() + 1);
  EXPECT_TRUE(all_found(columns));
}

TEST(HuntColumns, WhoseProcessDiedIsNamed) {
  std::vector<HuntColumn> columns = two_strategies();
  columns[0].quarries[1].hunted->death = "signal 11";
  columns[1].quarries[2].hunted->death = "signal 6";
  const std::string table = columns_table(columns, 2);
  EXPECT_NE(table.find("B06 anon_flag_and_mapping_torn  died    other\n"), table.npos)
      << table;
  EXPECT_NE(
      table.find("\nB06 anon_flag_and_mapping_torn by pos: the process ended: "
                 "signal 11\nB25 anon_put_before_unmap by pct: the process ended: "
                 "signal 6\n"),
      table.npos)
      << table;
}

TEST(HuntColumns, InMarkdownColumnsMayHaveOtherRows) {
  std::vector<HuntColumn> columns = {column(StrategyKind::kPos),
                                     column(HuntEngine::kLibfuzzer, "release"),
                                     column(HuntEngine::kThreads, "tsan")};
  columns[0].quarries = {{named("B07"), hunted({12})}, {named("B06"), hunted({0})}};
  columns[1].quarries = {{named("B06"), hunted({70})}};
  columns[2].quarries = {{named("B07"), hunted({80})}, {named("B06"), hunted({})}};
  columns[2].quarries[1].hunted->unarmed = search_of(1, SearchEnd::kFound);
  EXPECT_EQ(columns_markdown(columns),
            "| bug | pos | libfuzzer | threads tsan |\n"
            "| --- | ---: | ---: | ---: |\n"
            "| B07 `remove_rmap_clears_mapping` | 12 |  | 80, 0.2 s |\n"
            "| B06 `anon_flag_and_mapping_torn` | - | 70 | n/a |\n"
            "| found | 1 of 2 | 1 of 1 | 1 of 2 |\n"
            "\n"
            "- pos: release build, at most 900 executions and 30 s\n"
            "- libfuzzer: release build, at most 60 s\n"
            "- threads tsan: tsan build, at most 60 s\n");
}

TEST(HuntColumns, WhatComesLaterWins) {
  std::vector<HuntColumn> columns = two_strategies();
  HuntColumn later = column(StrategyKind::kPos);
  later.quarries = {{named("B25"), hunted({3})}};
  columns.push_back(later);
  const std::vector<HuntColumn> merged = merged_columns(columns);
  ASSERT_EQ(merged.size(), 2u);
  EXPECT_EQ(merged[0].quarries.size(), 3u);
  EXPECT_EQ(merged[0].found(), 2u);
}

class HuntColumnsFile : public testing::Test {
 protected:
  ~HuntColumnsFile() override { std::filesystem::remove(path_); }
  std::vector<HuntColumn> read(const std::string& text) {
    write_file(path_, text);
    return read_columns(path_);
  }
  std::string complaint(const std::string& text) {
    try {
      read(text);
    } catch (const BadInput& error) {
      return error.what();
    }
    return "";
  }
  const std::string path_ =
      testing::TempDir() + "hunt_columns_" + std::to_string(::getpid()) + ".json";
};

TEST_F(HuntColumnsFile, IsReadAsItWasWritten) {
  const std::vector<HuntColumn> columns = two_strategies();
  const std::vector<HuntColumn> same = read(columns_json(columns, 2).dump());
  EXPECT_EQ(columns_markdown(same), columns_markdown(columns));
  std::vector<HuntColumn> one = {column(HuntEngine::kThreads, "asan")};
  EXPECT_EQ(columns_markdown(read(columns_json(one, 2).dump())), columns_markdown(one));
  one[0] = column(StrategyKind::kPortfolio);
  one[0].machine = "kamezawa";
  EXPECT_EQ(columns_markdown(read(columns_json(one, 2).dump())), columns_markdown(one));
}

TEST_F(HuntColumnsFile, WhatIsWrongIsOneLine) {
  const Json good = columns_json(std::vector<HuntColumn>{two_strategies()[0]}, 2);
  const auto changed = [&](const char* where, const Json& value) {
    Json json = good;
    json[Json::json_pointer(where)] = value;
    return complaint(json.dump());
  };
  const std::string none = path_ + ": not what hunt --json writes";
  EXPECT_EQ(complaint("{"), none);
  EXPECT_EQ(complaint("[]"), none);
  EXPECT_EQ(complaint(R"({"rows": 3, "bugs": []})"), none);
  EXPECT_EQ(changed("/limits", 3), none);
  EXPECT_EQ(changed("/bugs/0/searches/0/executions", "many"), none);
  EXPECT_EQ(changed("/engine", "steam"),
            path_ + ": no engine 'steam': schedules, threads or libfuzzer");
  EXPECT_EQ(changed("/bugs/0/name", "x"), path_ + ": no bug 'x'");
  EXPECT_EQ(changed("/bugs/0/searches/0/end", "never"),
            path_ + ": no end of a search 'never'");
  EXPECT_NE(changed("/strategy", "replay").find("no strategy 'replay'"),
            std::string::npos);
}

}  // namespace
}  // namespace racier::repro
