// repro/hunt_text_test.cc
#include "repro/hunt_text.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/program/machine_keys.h"

namespace racier::repro {
namespace {

SearchResult found_in(std::uint64_t executions) {
  SearchResult search;
  search.seed = 3;
  search.executions = executions;
  search.seconds = 0.25;
  search.end = SearchEnd::kFound;
  search.kind = "rmap";
  search.title = "a title";
  return search;
}

SearchResult not_found() {
  SearchResult search;
  search.seed = 4;
  search.executions = 700;
  search.seconds = 30;
  search.end = SearchEnd::kTime;
  return search;
}

Hunted hunted() {
  Hunted hunted;
  hunted.unarmed = {1, 1000, 0.5, SearchEnd::kExecutions, "", ""};
  hunted.searches = {found_in(12), not_found()};
  hunted.others = 2;
  hunted.other = "data | lost";
  hunted.smallest = {2, 8, 3, 1};
  hunted.death = "signal 11";
  return hunted;
}

TEST(HuntText, JsonIsReadAsItWasWritten) {
  EXPECT_EQ(hunted_of(json_of(hunted())), hunted());
  EXPECT_EQ(hunted_of(json_of(Hunted{})), Hunted{});
}

TEST(HuntText, ATableHasALineForEachRow) {
  Hunted found = hunted();
  found.searches = {found_in(12)};
  found.death.clear();
  const std::vector<Quarry> quarries = {{&bug::row(*bug::find("B07")), found}};
  EXPECT_EQ(
      hunt_table(quarries, 2),
      "bug                             found by  executions  seconds  calls  "
      "switches  preemptions\n"
      "B07 remove_rmap_clears_mapping  rmap              12    0.250      8  "
      "       3            1\n"
      "1 of 1 rows found; a bug: median 12 executions, 0.250 s, most 0.25 s; 2.0 s "
      "in all\n");
}

TEST(HuntText, OtherEnginesMakeNothingSmaller) {
  Hunted lost = hunted();
  lost.searches = {not_found()};
  Hunted found = hunted();
  found.searches = {found_in(12)};
  found.death.clear();
  const std::vector<Quarry> quarries = {{&bug::row(*bug::find("B07")), found},
                                        {&bug::row(*bug::find("B06")), lost}};
  const std::string table = hunt_table(quarries, 2, HuntEngine::kThreads);
  EXPECT_TRUE(
      table.starts_with("bug                             found by   rounds  seconds\n"
                        "B07 remove_rmap_clears_mapping  rmap           12    0.250\n"))
      << table;
  EXPECT_NE(table.find("nothing of the kind rmap in 700 rounds, 30.0 s"), table.npos)
      << table;
  EXPECT_NE(table.find("; a bug: median 12 rounds, "), table.npos) << table;
  EXPECT_NE(
      hunt_table(quarries, 2, HuntEngine::kLibfuzzer).find("found by   executions"),
      table.npos);
}

TEST(HuntText, WhatIsNotFoundIsSaid) {
  Hunted lost = hunted();
  lost.searches = {not_found()};
  lost.smallest.reset();
  const std::vector<Quarry> quarries = {{&bug::row(*bug::find("B07")), lost},
                                        {&bug::row(*bug::find("B09")), {}}};
  const std::string table = hunt_table(quarries, 2);
  EXPECT_NE(table.find("\nNOT FOUND: B07 remove_rmap_clears_mapping: nothing of the "
                       "kind rmap in 700 executions, 30.0 s; 2 of another kind, first: "
                       "data | lost; the process ended: signal 11\n"),
            table.npos)
      << table;
  EXPECT_NE(table.find("\nNOT FOUND: B09 anon_vma_freed_before_lock: its turn did not "
                       "come\n"),
            table.npos)
      << table;
  EXPECT_NE(table.find("\n0 of 2 rows found; 2.0 s in all\n"), table.npos) << table;
  const auto json = hunt_json(quarries, 2);
  EXPECT_EQ(json.at("found"), 0);
  EXPECT_EQ(json.at("bugs").size(), 2u);
  EXPECT_EQ(json.at("bugs").at(0).at("found"), false);
}

TEST(HuntText, WhatIsFoundWithNothingArmedIsSaid) {
  Hunted alarm = hunted();
  alarm.unarmed = found_in(7);
  const std::vector<Quarry> quarries = {{&bug::row(*bug::find("B07")), alarm}};
  EXPECT_FALSE(quarries[0].clean());
  const std::string table = hunt_table(quarries, 2);
  EXPECT_NE(
      table.find("NOT ARMED, AND FOUND: B07 remove_rmap_clears_mapping: execution "
                 "7 (seed 3): a title (rmap): a false alarm, or a bug that no row "
                 "names\n"),
      table.npos)
      << table;
  EXPECT_NE(table.find("rmap (1/2)"), table.npos) << table;
  EXPECT_NE(table.find("found; then the process ended: signal 11\n"), table.npos);
}

TEST(HuntText, WhatIsLongerThanTwiceTheCatalogueIsSaid) {
  Hunted found = hunted();
  found.searches = {found_in(12)};
  found.death.clear();
  std::vector<Quarry> quarries = {
      {&bug::row(*bug::find("B07")), found, KnownSize{"B07", 2, 1, ""}},
      {&bug::row(*bug::find("B09")), found, KnownSize{"B09", 1, 0, "it waits"}},
      {&bug::row(*bug::find("B10")), found, std::nullopt}};
  const std::string table = hunt_table(quarries, 2);
  EXPECT_NE(table.find("!1\n"), table.npos) << table;
  EXPECT_EQ(table.find("! B07"), table.npos) << table;
  EXPECT_NE(table.find("\n! B09 anon_vma_freed_before_lock: 2 tasks, 1 preemptions: "
                       "longer than twice the catalogue: 1 and 0; it waits\n"
                       "1 of 2 smallest programs are within twice the tasks and "
                       "preemptions of the catalogue\n3 of 3 rows found"),
            table.npos)
      << table;
  const auto json = hunt_json(quarries, 2);
  EXPECT_EQ(json.at("bugs").at(0).at("within_twice"), true);
  EXPECT_EQ(json.at("bugs").at(1).at("within_twice"), false);
  EXPECT_EQ(json.at("bugs").at(1).at("catalogue").at("preemptions"), 0);
  EXPECT_FALSE(json.at("bugs").at(2).contains("catalogue"));
}

TEST(HuntText, RowsAreListed) {
  const std::vector<const bug::Row*> rows = {&bug::row(*bug::find("B07")),
                                             &bug::row(*bug::find("B10"))};
  std::vector<MachineOptions> machines(2);
  program::machine_key("ptl").set(machines[1], 1);
  const std::string list = list_of_rows(rows, machines);
  EXPECT_TRUE(list.starts_with(
      "B07 remove_rmap_clears_mapping   rmap        missing-recheck  rmap="))
      << list;
  EXPECT_NE(list.find(std::string("  ") + rows[0]->origin + "\n"), list.npos) << list;
  EXPECT_NE(list.find("\nB10 prepare_ptl_before_anonlock  lock-order  lock-order"),
            list.npos)
      << list;
  EXPECT_NE(list.find(" " + text_of_machine(machines[1]) + " "), list.npos) << list;
  EXPECT_EQ(text_of_machine(machines[1]), text_of_machine(machines[0]) + " ptl=split");
}

}  // namespace
}  // namespace racier::repro
