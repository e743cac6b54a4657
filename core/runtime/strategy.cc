// core/runtime/strategy.cc - from a schedule to the strategy that it names.
//
// Tested by strategy_test.cc.
#include "core/runtime/strategy.h"

#include "core/base/require.h"
#include "core/runtime/exhaustive.h"
#include "core/runtime/overridden.h"
#include "core/runtime/portfolio.h"
#include "core/runtime/pos.h"
#include "core/runtime/random_walk.h"
#include "core/runtime/replay.h"
#include "core/runtime/run_to_block.h"

namespace racier {
namespace {

// A strategy that learns, alone.
template <StrategyKind kind>
std::unique_ptr<Strategy> make_learning(const Schedule& schedule) {
  static constexpr StrategyKind kTurns[] = {kind};
  return std::make_unique<Portfolio>(schedule, kTurns);
}

std::unique_ptr<Strategy> make_plain(const Schedule& schedule) {
  switch (schedule.strategy) {
    case StrategyKind::kRunToBlock:
      return std::make_unique<RunToBlock>();
    case StrategyKind::kRandomWalk:
      return std::make_unique<RandomWalk>(schedule.seed);
    case StrategyKind::kPos:
      return std::make_unique<Pos>(schedule.seed);
    case StrategyKind::kReplay:
      return std::make_unique<Replay>(schedule);
    case StrategyKind::kPct:
      return make_learning<StrategyKind::kPct>(schedule);
    case StrategyKind::kSurw:
      return make_learning<StrategyKind::kSurw>(schedule);
    case StrategyKind::kReadsFrom:
      return make_learning<StrategyKind::kReadsFrom>(schedule);
    case StrategyKind::kStarvation:
      return make_learning<StrategyKind::kStarvation>(schedule);
    case StrategyKind::kExhaustive:
      return std::make_unique<Exhaustive>(schedule.depth);
    case StrategyKind::kPortfolio:
      return std::make_unique<Portfolio>(schedule);
  }
  require(false, "a schedule names a strategy that exists");
  return nullptr;
}

}  // namespace

std::unique_ptr<Strategy> make_strategy(const Schedule& schedule) {
  auto strategy = make_plain(schedule);
  if (schedule.overrides.empty()) return strategy;
  return std::make_unique<Overridden>(std::move(strategy), schedule.overrides);
}

}  // namespace racier
