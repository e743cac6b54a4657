// core/base/schedule.cc - names of strategies.
#include "core/base/schedule.h"

namespace racier {

const char* strategy_name(StrategyKind kind) {
  switch (kind) {
    case StrategyKind::kRunToBlock:
      return "run_to_block";
    case StrategyKind::kRandomWalk:
      return "random_walk";
    case StrategyKind::kPos:
      return "pos";
    case StrategyKind::kReplay:
      return "replay";
    case StrategyKind::kPct:
      return "pct";
    case StrategyKind::kSurw:
      return "surw";
    case StrategyKind::kReadsFrom:
      return "reads_from";
    case StrategyKind::kStarvation:
      return "starvation";
    case StrategyKind::kExhaustive:
      return "exhaustive";
    case StrategyKind::kPortfolio:
      return "portfolio";
  }
  return "?";
}

std::optional<StrategyKind> find_strategy(std::string_view name) {
  for (int i = 0; i < kStrategyKinds; ++i) {
    const auto kind = static_cast<StrategyKind>(i);
    if (name == strategy_name(kind)) return kind;
  }
  return std::nullopt;
}

}  // namespace racier
