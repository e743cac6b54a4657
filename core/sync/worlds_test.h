// core/sync/worlds_test.h - one test, run in every world.
//
// A test of a lock is a scenario: objects, bodies, what must hold after them.  It is
// repeated on fibers under several strategies, with many seeds each and with weak
// memory too, and on native threads.
#pragma once
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "core/runtime/run_alone.h"
#include "core/sync/interlock.h"
#include "core/sync/lock_checker.h"
#include "core/sync/tsan.h"

namespace racier {

struct World {
  const char* name;
  bool native;
  StrategyKind strategy;  // of fibers
  int repeats;            // runs of one scenario, each with a seed of its own
  bool weak_memory = false;
};

inline constexpr World kWorlds[] = {
    {"RunToBlock", false, StrategyKind::kRunToBlock, 1},
    {"RandomWalk", false, StrategyKind::kRandomWalk, 300},
    {"Pos", false, StrategyKind::kPos, 300},
    {"Native", true, StrategyKind::kRunToBlock, 30},
    {"WeakRandomWalk", false, StrategyKind::kRandomWalk, 300, true},
    {"WeakPos", false, StrategyKind::kPos, 300, true},
};

// Those in which a task that looks again and again lets others run meanwhile.
inline constexpr World kPollingWorlds[] = {kWorlds[1], kWorlds[3], kWorlds[4]};

inline constexpr LockClass kLockA{"A", 0};
inline constexpr LockClass kLockB{"B", 1};
inline constexpr LockClass kLockC{"C", 2};
inline constexpr LockClass kQueueLock{"queue", 3};

inline bool tsan_watches() { return __tsan_acquire != nullptr; }

// A step that touches nothing: another task may run here.
inline void pause_here() {
  step({nullptr, Access::kNone, std::memory_order_relaxed,
        std::source_location::current()});
}

class InEveryWorld : public testing::TestWithParam<World> {
 protected:
  // Calls `scenario` once for each seed; stops at the first that fails.
  template <typename Scenario>
  void repeat(Scenario scenario) {
    for (int i = 0; i < GetParam().repeats && !HasFailure(); ++i) {
      seed_ = static_cast<std::uint64_t>(i);
      SCOPED_TRACE("seed " + std::to_string(i));
      scenario();
    }
  }

  // Runs the bodies as the tasks of a run; returns its finding's title, or "".
  std::string run(std::initializer_list<FunctionRef<void()>> bodies) {
    return run(std::vector<FunctionRef<void()>>(bodies));
  }
  std::string run(const std::vector<FunctionRef<void()>>& bodies) {
    checker_.reset();
    state_.reset();
    state_.lock_checker = checked_ ? &checker_ : nullptr;
    state_.weak_memory = GetParam().weak_memory;
    if (native()) {
      threads_.set_seed(seed_);
      threads_.set_jitter(8);
      threads_.run(state_, bodies);
    } else {
      fibers_.set_schedule(seeded(GetParam().strategy, seed_));
      fibers_.run(state_, bodies);
    }
    return state_.finding() ? state_.finding()->title : "";
  }
  const std::optional<Finding>& finding() const { return state_.finding(); }
  FindingKind kind() const { return finding()->kind; }

  bool native() const { return GetParam().native; }
  void unchecked() { checked_ = false; }
  Runtime& runtime() {
    return native() ? static_cast<Runtime&>(threads_) : static_cast<Runtime&>(fibers_);
  }

 private:
  RunState state_;
  LockChecker checker_;
  bool checked_ = true;
  std::uint64_t seed_ = 0;
  FiberRuntime fibers_;
  NativeRuntime threads_;
};

// What must never be held by two tasks: a datum that is written in two steps.
class Tally {
 public:
  void add_one() {
    const int seen = value_;
    pause_here();
    value_ = seen + 1;
  }
  int value() const { return value_; }

 private:
  int value_ = 0;
};

// What happened, in order; any task may add to it.
class Log {
 public:
  void add(char what) {
    const InterlockGuard guard(lock_);
    text_ += what;
  }
  std::string text() {
    const InterlockGuard guard(lock_);
    return text_;
  }

 private:
  Interlock lock_;
  std::string text_ GUARDED_BY(lock_);
};

inline std::string world_name(const testing::TestParamInfo<World>& info) {
  return info.param.name;
}

}  // namespace racier
