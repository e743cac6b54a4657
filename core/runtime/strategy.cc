// core/runtime/strategy.cc - from a schedule to the strategy that it names.
//
// Tested by strategy_test.cc.
#include "core/runtime/strategy.h"

#include "core/base/require.h"
#include "core/runtime/overridden.h"
#include "core/runtime/pos.h"
#include "core/runtime/random_walk.h"
#include "core/runtime/replay.h"
#include "core/runtime/run_to_block.h"

namespace racier {
namespace {

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
