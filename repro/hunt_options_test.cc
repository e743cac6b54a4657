// repro/hunt_options_test.cc
#include "repro/hunt_options.h"

#include <gtest/gtest.h>

#include "repro/files.h"
#include "repro/pair_search.h"

namespace racier::repro {
namespace {

using Words = std::vector<std::string>;

std::string complaint(const Words& words) {
  try {
    read_hunt_options(words);
  } catch (const BadInput& error) {
    return error.what();
  }
  return "";
}

TEST(HuntOptions, AllRowsUnlessNamed) {
  EXPECT_EQ(read_hunt_options({}).rows.size(), bug::rows().size());
  const HuntOptions options = read_hunt_options({"all", "--for", "2m", "--jobs=3"});
  EXPECT_EQ(options.rows.size(), bug::rows().size());
  EXPECT_EQ(options.limits.search.time.count(), 120);
  EXPECT_EQ(options.jobs, 3u);
  EXPECT_EQ(options.limits.recipe.strategy, StrategyKind::kPortfolio);
  EXPECT_EQ(options.limits.clean, 1000u);
  EXPECT_FALSE(options.json);
  EXPECT_FALSE(options.list);
}

TEST(HuntOptions, RowsByNameInTheOrderOfTheList) {
  const HuntOptions options =
      read_hunt_options({"--bug", "B09", "--bug=remove_rmap_clears_mapping"});
  ASSERT_EQ(options.rows.size(), 2u);
  EXPECT_STREQ(options.rows[0]->id, "B07");
  EXPECT_STREQ(options.rows[1]->id, "B09");
}

TEST(HuntOptions, AFamilyHasKinds) {
  for (const bug::Row* const row : read_hunt_options({"--family", "lock-order"}).rows) {
    EXPECT_STREQ(row->family, "lock-order");
  }
  const HuntOptions options = read_hunt_options({"--family=Lifetime"});
  std::size_t kinds = 0;
  for (const bug::Row* const row : options.rows) {
    EXPECT_EQ(std::string(row->family).substr(0, 8), "lifetime");
    kinds += row->family == std::string("lifetime-rcu") ? 1 : 0;
  }
  EXPECT_GT(kinds, 0u);
  EXPECT_LT(kinds, options.rows.size());
  EXPECT_NE(complaint({"--family", "lock"}), "no family 'lock-'");
}

TEST(HuntOptions, APatchHasItsRows) {
  const HuntOptions options = read_hunt_options({"--as-posted", "lameter"});
  ASSERT_NE(options.patch, nullptr);
  EXPECT_EQ(options.rows.size(), options.patch->lacks.size());
}

TEST(HuntOptions, WrongUseIsNamed) {
  const auto has = [](const Words& words, const std::string& part) {
    const std::string text = complaint(words);
    EXPECT_NE(text.find(part), text.npos) << text;
    EXPECT_EQ(text.find('\n'), text.npos) << text;
  };
  has({"some"}, "expected all, or --bug, --family, --as-posted or --drop, not 'some'");
  has({"all", "some"}, "not 'some'");
  has({"all", "--bug", "B07"}, "expected one of all, --bug, --family");
  has({"--bug", "B99x"}, "no bug 'B99x'");
  has({"--family", "lif"}, "no family 'lif': ");
  has({"--family", ""}, "no family ''");
  has({"--as-posted", "torvalds"}, "no patch 'torvalds': lameter");
  has({"--for", "soon"}, "--for: expected a duration");
  has({"--jobs", "0"}, "--jobs: expected a number from 1");
  has({"--repeat", "-1"}, "--repeat: expected a number");
  has({"--executions", "0"}, "--executions: expected a number above 0");
  has({"--clean", "x"}, "--clean: expected a number");
  has({"--strategy", "replay"}, "no strategy 'replay'");
  has({"--nonsense"}, "unrecognised option '--nonsense'");
}

TEST(HuntOptions, EachStrategyAlone) {
  const HuntOptions one = read_hunt_options({"--strategy", "pos"});
  EXPECT_FALSE(one.each_strategy);
  EXPECT_EQ(one.limits.recipe.strategy, StrategyKind::kPos);
  EXPECT_EQ(one.limits.search.executions, SearchLimits().executions);
  const HuntOptions each = read_hunt_options({"--strategy", "all", "--bug", "B07"});
  EXPECT_TRUE(each.each_strategy);
  EXPECT_EQ(each.limits.search.executions, 20'000u);
  EXPECT_EQ(each.limits.clean, 0u);
  EXPECT_EQ(each.limits.minimize.count(), 0);
  EXPECT_EQ(read_hunt_options({"--strategy=all", "--executions", "7"})
                .limits.search.executions,
            7u);
}

TEST(HuntOptions, Engines) {
  EXPECT_EQ(read_hunt_options({}).engine, HuntEngine::kSchedules);
  const HuntOptions threads =
      read_hunt_options({"--engine", "threads", "--clean=5", "--jobs=6"});
  EXPECT_EQ(threads.engine, HuntEngine::kThreads);
  EXPECT_EQ(threads.limits.clean, 5u);
  EXPECT_EQ(threads.jobs, 6u);
  EXPECT_FALSE(threads.each_strategy);
  // A round has threads of its own.
  const std::size_t usual = read_hunt_options({}).jobs;
  EXPECT_EQ(read_hunt_options({"--engine", "threads"}).jobs,
            std::max<std::size_t>(1, usual / 2));
  const HuntOptions fuzzer =
      read_hunt_options({"--engine=libfuzzer", "--program-fuzz", "x"});
  EXPECT_EQ(fuzzer.engine, HuntEngine::kLibfuzzer);
  EXPECT_EQ(fuzzer.program_fuzz, "x");
  EXPECT_EQ(fuzzer.jobs, usual);
  EXPECT_EQ(fuzzer.limits.search.executions, SearchLimits().executions);

  const auto has = [](const Words& words, const std::string& part) {
    EXPECT_NE(complaint(words).find(part), std::string::npos) << complaint(words);
  };
  has({"--engine", "steam"}, "no engine 'steam': schedules, threads or libfuzzer");
  has({"--engine", "threads", "--strategy", "pos"}, "--strategy is for --engine sched");
  has({"--engine", "threads", "--program-fuzz", "x"}, "for --engine libfuzzer");
  has({"--engine", "libfuzzer", "--clean", "5"}, "--clean is for one strategy, or for");
  has({"--strategy", "all", "--clean", "5"}, "--clean is for one strategy, or for");
  for (const Words& other : std::vector<Words>{{"--pairs"},
                                               {"--drop", "all"},
                                               {"--as-posted", "davem"},
                                               {"--minimize", "1s"}}) {
    for (const Words& way :
         std::vector<Words>{{"--strategy", "all"}, {"--engine", "threads"}}) {
      Words words = way;
      words.insert(words.end(), other.begin(), other.end());
      has(words, "hunt: " + other[0] + " is not for --strategy all, nor for --engine");
    }
  }
}

TEST(HuntOptions, OtherMachines) {
  EXPECT_TRUE(read_hunt_options({}).machines.empty());
  const HuntOptions one = read_hunt_options({"--machine", "per_vma"});
  EXPECT_EQ(one.machines, std::vector<std::string>{"per_vma"});
  EXPECT_EQ(one.limits.search.executions, 5'000u);
  EXPECT_EQ(one.limits.minimize.count(), 0);
  const HuntOptions all =
      read_hunt_options({"--machine=all", "--executions=7", "--clean=8"});
  EXPECT_EQ(all.machines.size(), pair_machines().size());
  EXPECT_EQ(all.limits.search.executions, 7u);
  EXPECT_EQ(all.limits.clean, 8u);
  const auto has = [](const Words& words, const std::string& part) {
    EXPECT_NE(complaint(words).find(part), std::string::npos) << complaint(words);
  };
  has({"--machine", "pdp11"}, "no machine 'pdp11': anon_vma_spin, ");
  has({"--machine", "all", "--strategy", "all"}, "--machine is for one strategy");
  has({"--machine", "all", "--engine", "threads"}, "--machine is for one strategy");
  has({"--machine", "all", "--drop", "all"}, "--drop is not for --machine");
  has({"--machine", "all", "--minimize", "1s"}, "--minimize is not for --machine");
}

TEST(HuntOptions, FilesAreForColumns) {
  const HuntOptions options = read_hunt_options({"--columns", "a.json", "b.json"});
  EXPECT_EQ(options.columns, (Words{"a.json", "b.json"}));
  EXPECT_EQ(complaint({"--columns"}), "hunt: --columns: expected files");
}

TEST(HuntOptions, PairsOfOps) {
  EXPECT_FALSE(read_hunt_options({}).pairs);
  const HuntOptions all = read_hunt_options({"--pairs", "--svg", "x.svg", "--full"});
  ASSERT_TRUE(all.pairs);
  EXPECT_FALSE(all.pairs->armed);
  EXPECT_TRUE(all.pairs->full);
  EXPECT_FALSE(all.pairs->time);
  EXPECT_EQ(all.pairs->preemptions, 2);
  EXPECT_EQ(all.pairs->svg, "x.svg");
  const HuntOptions armed =
      read_hunt_options({"--pairs", "--bug", "all", "--for", "1m", "--preemptions=1"});
  EXPECT_EQ(armed.rows.size(), bug::rows().size());
  EXPECT_TRUE(armed.pairs->armed && armed.pairs->all_rows);
  EXPECT_EQ(armed.pairs->time, std::chrono::seconds(60));
  EXPECT_EQ(read_hunt_options({"--pairs", "--bug", "B09"}).rows.size(), 1u);

  EXPECT_NE(complaint({"--pairs", "all"}), "");
  EXPECT_NE(complaint({"--pairs", "--as-posted", "davem"}), "");
  EXPECT_NE(complaint({"--pairs", "--preemptions", "0"}), "");
  EXPECT_NE(complaint({"--svg", "x.svg"}), "");
  EXPECT_NE(complaint({"--pairs", "--bug", "B09", "--svg", "x.svg"}), "");
  EXPECT_NE(complaint({"--bug", "all"}), "");
}

}  // namespace
}  // namespace racier::repro
