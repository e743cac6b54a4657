// repro/pair_search.h - every schedule of a program of two tasks with few preemptions.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/program/program.h"
#include "core/program/runner.h"
#include "core/runtime/exhaustive.h"
#include "core/runtime/fiber_runtime.h"

namespace racier::repro {

// A design of the reverse map in the period of a kernel.
struct PairMachine {
  std::string name;
  std::string rmap;
  Period period;
  bool threads_only = false;  // it differs from another one where tasks share memory

  // Returns `options`, whose sizes stay, as such a machine.
  MachineOptions of(MachineOptions options) const;
};
// Those on which pairs are tried: each design in its own period, and later kernels.
const std::vector<PairMachine>& pair_machines();
// Returns the one of that name, or all ("all" or "").  Throws BadInput: it names none.
std::vector<PairMachine> pair_machines_named(const std::string& name);

// What is known of a pair on a machine.
enum class PairState : std::uint8_t {
  kApart,       // all was run; the two share no word
  kClean,       // all was run
  kFinding,     // one was found; or the process died
  kIncomplete,  // not all was run
  kNotRun,      // nothing was
};
inline constexpr int kPairStates = static_cast<int>(PairState::kNotRun) + 1;
// Returns "apart", "clean", "finding", "incomplete", "not run".
const char* pair_state_name(PairState state);

struct PairResult {
  PairState state = PairState::kNotRun;
  std::uint64_t schedules = 0;  // that differ, with at most so many preemptions
  std::uint64_t runs = 0;       // made for that
  std::uint64_t words = 0;      // that both tasks touch
  double seconds = 0;
  std::string why;      // it is incomplete; or the title of the finding
  std::string kind;     // of the finding
  std::string program;  // that shows it, as text
  bool operator==(const PairResult&) const = default;
};

struct PairLimits {
  int preemptions = 2;             // at most
  std::uint64_t runs = 2'000'000;  // of one pair
  std::chrono::steady_clock::time_point deadline =
      std::chrono::steady_clock::time_point::max();
};

// Runs pair after pair; what the machine is made of is kept.
class PairSearch {
 public:
  // Returns whether the finding is what is looked for.
  using Wanted = std::function<bool(const Finding&)>;

  // Runs every schedule of `program`, which has two tasks, within `limits`, until a
  // finding is wanted.  A run ends there, but not the search, if it is not.
  PairResult search(const program::Program& program, const PairLimits& limits,
                    const Wanted& wanted);
  PairResult search(const program::Program& program, const PairLimits& limits) {
    return search(program, limits, [](const Finding&) { return true; });
  }

 private:
  Exhaustive& begin(int preemptions);
  // Runs two tasks that do nothing: what they share is the harness's.
  void learn_harness(const program::Program& program);

  FiberRuntime alone_;
  FiberRuntime runtime_;
  program::Runner runner_{alone_};
  SharedWords harness_;
};

}  // namespace racier::repro
