// core/runtime/strategy_test.cc - each strategy's answers, without any fiber.
#include "core/runtime/strategy.h"

#include <gtest/gtest.h>

#include <set>

#include "core/runtime/overridden.h"

namespace racier {
namespace {

std::uint64_t word, other_word;

constexpr Step access(const std::uint64_t& at, Access kind) {
  return {&at, kind, std::memory_order_relaxed, {}};
}
const Step kWriteWord = access(word, Access::kWrite);
const Step kReadWord = access(word, Access::kRead);
const Step kWriteOther = access(other_word, Access::kWrite);

// A scene of three tasks: task 0 is at step 5, and `runnable` can run.
Scene scene_of(std::uint32_t runnable) {
  Scene scene;
  scene.tasks = 3;
  scene.running = 0;
  scene.step = 5;
  scene.runnable = runnable;
  scene.pending = {&kWriteWord, &kReadWord, &kWriteOther};
  return scene;
}

std::unique_ptr<Strategy> begun(const Schedule& schedule) {
  auto strategy = make_strategy(schedule);
  strategy->begin_run(3);
  return strategy;
}

Schedule of_kind(StrategyKind kind, std::uint64_t seed = 1) {
  Schedule schedule;
  schedule.strategy = kind;
  schedule.seed = seed;
  return schedule;
}

std::vector<int> hundred_answers(Strategy& strategy) {
  std::vector<int> answers;
  for (int i = 0; i < 100; ++i) {
    const Scene scene = scene_of(0b111);
    answers.push_back(strategy.next(scene));
    strategy.on_executed(scene, answers.back(), *scene.pending[answers.back()]);
  }
  return answers;
}

TEST(Strategies, OnlyTakeTasksThatCanRun) {
  for (int kind = 0; kind < kStrategyKinds; ++kind) {
    const auto strategy = begun(of_kind(static_cast<StrategyKind>(kind)));
    for (std::uint32_t runnable = 1; runnable < 8; ++runnable) {
      for (int i = 0; i < 20; ++i) {
        const Scene scene = scene_of(runnable);
        EXPECT_TRUE(scene.can_run(strategy->next(scene)));
      }
    }
  }
}

TEST(Strategies, AnswerTheSameWayAgain) {
  for (int kind = 0; kind < kStrategyKinds; ++kind) {
    const auto strategy = begun(of_kind(static_cast<StrategyKind>(kind)));
    const auto first = hundred_answers(*strategy);
    strategy->begin_run(3);
    EXPECT_EQ(hundred_answers(*strategy), first);
  }
}

TEST(Strategies, SeedsDiffer) {
  for (const auto kind :
       {StrategyKind::kRandomWalk, StrategyKind::kPos, StrategyKind::kPct,
        StrategyKind::kSurw, StrategyKind::kReadsFrom, StrategyKind::kStarvation}) {
    EXPECT_NE(hundred_answers(*begun(of_kind(kind, 1))),
              hundred_answers(*begun(of_kind(kind, 2))));
  }
}

TEST(RunToBlock, GoesOnElseTakesTheLowest) {
  const auto strategy = begun({});
  EXPECT_EQ(strategy->next(scene_of(0b111)), 0);
  EXPECT_EQ(strategy->next(scene_of(0b110)), 1);
  EXPECT_EQ(strategy->next(scene_of(0b100)), 2);
}

TEST(RandomWalk, TakesEachAboutAsOften) {
  const auto strategy = begun(of_kind(StrategyKind::kRandomWalk));
  int taken[3] = {};
  for (int i = 0; i < 3000; ++i) ++taken[strategy->next(scene_of(0b111))];
  for (const int count : taken) EXPECT_NEAR(count, 1000, 120);
}

TEST(RandomWalk, ChoosesBelowTheLimit) {
  const auto strategy = begun(of_kind(StrategyKind::kRandomWalk));
  std::set<std::uint64_t> values;
  for (std::uint32_t i = 0; i < 200; ++i) values.insert(strategy->choose(0, i, 3));
  EXPECT_EQ(values, (std::set<std::uint64_t>{0, 1, 2}));
}

// Task 0 makes `step` a hundred times; returns which of 1 and 2 were preferred in
// between.
std::set<int> preferred_after(const Step& step) {
  const auto strategy = begun(of_kind(StrategyKind::kPos));
  std::set<int> preferred;
  for (int i = 0; i < 100; ++i) {
    strategy->on_executed(scene_of(0b111), 0, step);
    preferred.insert(strategy->next(scene_of(0b110)));
  }
  return preferred;
}

TEST(Pos, DrawsAgainForThoseInConflict) {
  EXPECT_EQ(preferred_after(kWriteWord).size(), 2u);   // task 1 reads the word
  EXPECT_EQ(preferred_after(kWriteOther).size(), 2u);  // task 2 writes the other
}

TEST(Pos, KeepsTheOrderOfTheOthers) {
  EXPECT_EQ(preferred_after(kReadWord).size(), 1u);  // two reads do not conflict
}

TEST(Conflict, IsOneWordAndAWrite) {
  EXPECT_TRUE(conflict(kWriteWord, kReadWord));
  EXPECT_TRUE(conflict(kWriteWord, kWriteWord));
  EXPECT_FALSE(conflict(kReadWord, kReadWord));
  EXPECT_FALSE(conflict(kWriteWord, kWriteOther));
  const auto* const word = static_cast<const char*>(kWriteWord.address);
  Step write{word + 4, Access::kWrite, std::memory_order_relaxed, {}, 4};
  EXPECT_TRUE(conflict(kReadWord, write));  // its second half
  EXPECT_TRUE(conflict(write, kReadWord));
  write.address = word + kReadWord.size;
  EXPECT_FALSE(conflict(kReadWord, write));
  EXPECT_FALSE(conflict(write, kReadWord));
  const Step sleep{nullptr, Access::kNone, std::memory_order_relaxed, {}};
  EXPECT_FALSE(conflict(sleep, sleep));
}

Schedule replay(std::vector<Switch> switches, std::vector<Choice> choices = {}) {
  Schedule schedule = of_kind(StrategyKind::kReplay);
  schedule.switches = std::move(switches);
  schedule.choices = std::move(choices);
  return schedule;
}

TEST(Replay, SwitchesAtTheStepOnly) {
  const auto strategy = begun(replay({{.task = 0, .step = 5, .next = 2}}));
  Scene scene = scene_of(0b111);
  scene.step = 4;
  EXPECT_EQ(strategy->next(scene), 0);
  scene.step = 5;
  EXPECT_EQ(strategy->next(scene), 2);
  scene.step = 6;
  EXPECT_EQ(strategy->next(scene), 0);
}

TEST(Replay, SkipsWhatCannotBe) {
  const auto strategy =
      begun(replay({{.task = 0, .step = 3, .next = 1},  // passed over
                    {.task = 0, .step = 5, .next = 1},  // cannot run
                    {.task = 0, .step = 6, .next = 9},  // no such task
                    {.task = 0, .step = 7, .next = 2}}));
  Scene scene = scene_of(0b101);
  EXPECT_EQ(strategy->next(scene), 0);
  scene.step = 6;
  EXPECT_EQ(strategy->next(scene), 0);
  scene.step = 7;
  EXPECT_EQ(strategy->next(scene), 2);
}

TEST(Replay, TheOrderBetweenTasksDoesNotMatter) {
  const auto strategy = begun(
      replay({{.task = 1, .step = 9, .next = 2}, {.task = 0, .step = 5, .next = 1}}));
  EXPECT_EQ(strategy->next(scene_of(0b111)), 1);
}

TEST(Replay, RepeatsChoices) {
  const auto strategy = begun(replay({}, {{.task = 0, .index = 1, .value = 7},
                                          {.task = 0, .index = 2, .value = 9},
                                          {.task = 1, .index = 0, .value = 3}}));
  EXPECT_EQ(strategy->choose(0, 0, 8), 0u);
  EXPECT_EQ(strategy->choose(0, 1, 8), 7u);
  EXPECT_EQ(strategy->choose(0, 2, 8), 0u);  // not below the limit
  EXPECT_EQ(strategy->choose(1, 0, 8), 3u);
}

TEST(Overrides, ReplaceSingleDecisions) {
  Schedule schedule;
  schedule.overrides = {{.delta = 2, .target = 2}, {.delta = 0, .target = 4}};
  const auto strategy = begun(schedule);
  std::vector<int> answers;
  for (int i = 0; i < 5; ++i) answers.push_back(strategy->next(scene_of(0b111)));
  EXPECT_EQ(answers, (std::vector<int>{0, 0, 2, 1, 0}));
}

TEST(Overrides, CountOnlyThoseThatCanRun) {
  Schedule schedule;
  schedule.overrides = {{.delta = 0, .target = 3}};
  EXPECT_EQ(begun(schedule)->next(scene_of(0b110)), 2);  // the second of tasks 1 and 2
}

// Has tried everything, and was misled.
class Knowing final : public Strategy {
 public:
  void begin_run(int) override {}
  bool next_execution() override { return false; }
  int next(const Scene& scene) override { return scene.by_rule(); }
  Tried tried() const override { return Tried::kAll; }
  bool diverged() const override { return true; }
};

TEST(Overrides, PassOnWhatTheStrategyKnows) {
  const Overridden strategy(std::make_unique<Knowing>(), {{.delta = 0, .target = 1}});
  EXPECT_EQ(strategy.tried(), Strategy::Tried::kAll);
  EXPECT_TRUE(strategy.diverged());
}

}  // namespace
}  // namespace racier
