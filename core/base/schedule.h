// core/base/schedule.h - who runs when, as a value.
//
// A schedule is either a short recipe (a strategy with its seed), or the list of
// switches and choices that a strategy made: every strategy ends in that one form, and
// replaying it gives the same run.  What the list does not say follows one fixed rule:
// go on with the current task; when it cannot run, take the lowest that can; a choice
// is 0.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace racier {

enum class StrategyKind : std::uint8_t {
  kRunToBlock,  // the fixed rule alone
  kRandomWalk,  // at every step, any task that can run
  kPos,         // partial order sampling: random priorities, redrawn after conflicts
  kReplay,      // the lists below
  kPct,         // fixed random priorities, lowered at a few random steps
  kSurw,        // the accesses to one object in a uniformly random order
  kReadsFrom,   // reads made to see the writes of chosen lines
  kStarvation,  // now and then a task does not run for long
  kExhaustive,  // all orders, those with few preemptions first
  kPortfolio,   // the seeded ones above in turn, learning from each other
};
inline constexpr int kStrategyKinds = static_cast<int>(StrategyKind::kPortfolio) + 1;

// Returns "run_to_block", "random_walk", ...: the name without its k.
const char* strategy_name(StrategyKind kind);
std::optional<StrategyKind> find_strategy(std::string_view name);
// Returns whether `depth` means something to it.
inline bool has_depth(StrategyKind kind) {
  return kind == StrategyKind::kPct || kind == StrategyKind::kExhaustive;
}

// When `task` is about to take its step number `step`, or has taken so many and cannot
// go on, `next` runs instead.  Step 0 is its start; then come its accesses, waits and
// sleeps.  A task that waits for a word can run again when the word has another value,
// whoever wrote to it.  A `next` that cannot run, and a step that never comes, are
// skipped.
struct Switch {
  std::uint8_t task = 0;
  std::uint32_t step = 0;
  std::uint8_t next = 0;
  bool operator==(const Switch&) const = default;
};

// The value that the `index`-th choice of `task` (from 0) had.
struct Choice {
  std::uint8_t task = 0;
  std::uint32_t index = 0;
  std::uint64_t value = 0;
  bool operator==(const Choice&) const = default;
};

// A change to what a seeded strategy does: `delta` steps (of all tasks) after the place
// of the override before, the task `target` (modulo those that can run) runs.
// Relative, so that an insertion does not shift the later ones.
struct Override {
  std::uint16_t delta = 0;
  std::uint8_t target = 0;
  bool operator==(const Override&) const = default;
};
inline constexpr int kOverridesMax = 4;
inline constexpr int kDepthMax = 15;

struct Schedule {
  StrategyKind strategy = StrategyKind::kRunToBlock;
  std::uint64_t seed = 0;
  bool plain_steps = false;  // plain accesses are steps too, where compiled so
  std::uint32_t object = 0;  // for strategies that watch one object: which
  // kPct: the depth of the bugs it is after; kExhaustive: the most preemptions.  0:
  // any.
  std::uint8_t depth = 0;
  std::vector<Override> overrides;
  std::vector<Switch> switches;  // kReplay only, in the order in which they happened
  std::vector<Choice> choices;   // kReplay only

  bool operator==(const Schedule&) const = default;
};

}  // namespace racier
