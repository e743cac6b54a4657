// core/runtime/portfolio.cc - who is a member, and whose turn it is.
//
// Tested by strategy_test.cc and search_test.cc.
#include "core/runtime/portfolio.h"

#include <algorithm>

#include "core/base/require.h"
#include "core/runtime/pct.h"
#include "core/runtime/pos.h"
#include "core/runtime/random_walk.h"
#include "core/runtime/reads_from.h"
#include "core/runtime/starvation.h"
#include "core/runtime/surw.h"

namespace racier {
namespace {

constexpr auto kPos = StrategyKind::kPos;
constexpr auto kSurw = StrategyKind::kSurw;
constexpr auto kReadsFrom = StrategyKind::kReadsFrom;
constexpr auto kPct = StrategyKind::kPct;

// 6 SURW, 5 reads-from, 4 POS, 3 PCT, 1 random walk, 1 starvation.
constexpr StrategyKind kTurns[] = {
    kPos,       kSurw,      kReadsFrom, kSurw,      kPct,
    kReadsFrom, kSurw,      kPos,       kReadsFrom, kSurw,
    kPct,       kPos,       kReadsFrom, kSurw,      StrategyKind::kRandomWalk,
    kSurw,      kReadsFrom, kPos,       kPct,       StrategyKind::kStarvation};

Experience::Detail detail_for(std::span<const StrategyKind> turns) {
  const auto watches = [](StrategyKind kind) {
    return kind == kSurw || kind == kReadsFrom;
  };
  return std::any_of(turns.begin(), turns.end(), watches) ? Experience::Detail::kAll
                                                          : Experience::Detail::kLength;
}

}  // namespace

Portfolio::Portfolio(const Schedule& schedule) : Portfolio(schedule, kTurns) {}

Portfolio::Portfolio(const Schedule& schedule, std::span<const StrategyKind> turns)
    : experience_(detail_for(turns)), turns_(turns) {
  for (const StrategyKind kind : turns) {
    auto& member = members_[static_cast<std::size_t>(kind)];
    if (member == nullptr) member = make_member(schedule, kind);
  }
}

std::unique_ptr<Strategy> Portfolio::make_member(const Schedule& schedule,
                                                 StrategyKind kind) {
  // Apart from each other, or two would draw alike.
  const std::uint64_t seed =
      Random::mixed(schedule.seed * kStrategyKinds + static_cast<std::uint64_t>(kind));
  switch (kind) {
    case StrategyKind::kRandomWalk:
      return std::make_unique<RandomWalk>(seed);
    case StrategyKind::kPos:
      return std::make_unique<Pos>(seed);
    case StrategyKind::kPct:
      return std::make_unique<Pct>(seed, schedule.depth, experience_);
    case StrategyKind::kSurw:
      return std::make_unique<Surw>(seed, schedule.object, experience_);
    case StrategyKind::kReadsFrom:
      return std::make_unique<ReadsFrom>(seed, schedule.object, experience_);
    case StrategyKind::kStarvation:
      return std::make_unique<Starvation>(seed, experience_);
    case StrategyKind::kRunToBlock:
    case StrategyKind::kReplay:
    case StrategyKind::kExhaustive:
    case StrategyKind::kPortfolio:
      break;
  }
  require(false, "a portfolio is made of seeded strategies");
  return nullptr;
}

void Portfolio::begin_run(int tasks) {
  experience_.begin_run();
  active_ = members_[static_cast<std::size_t>(kind())].get();
  active_->begin_run(tasks);
}

bool Portfolio::next_execution() {
  experience_.next_execution();
  members_[static_cast<std::size_t>(kind())]->next_execution();
  turn_ = (turn_ + 1) % turns_.size();
  return true;
}

}  // namespace racier
