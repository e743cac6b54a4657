// core/base/schedule.cc - names of strategies.
#include "core/base/schedule.h"

namespace racier {

const char* strategy_name(StrategyKind kind) {
  switch (kind) {
    case StrategyKind::kRunToBlock: return "run_to_block";
    case StrategyKind::kRandomWalk: return "random_walk";
    case StrategyKind::kPos: return "pos";
    case StrategyKind::kReplay: return "replay";
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
