// repro/minimizer.h - the shortest story of a finding.
//
// Makes a program smaller as long as it shows the same finding: fewer tasks, calls,
// switches of its schedule, armed bugs; machine options and arguments as plain as they
// can be.  A change is tried with the schedule that was, as far as it still applies;
// then with new ones.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "core/program/program.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"

namespace racier::repro {

// Runs candidates: which of them show the finding?
class Probe {
 public:
  virtual ~Probe() = default;
  // Returns whether `candidate` shows it, and gives it a schedule with which it does.
  // Looks among `executions` schedules if its own is not enough.
  virtual bool shows(program::Program& candidate, std::uint64_t executions) = 0;
  // Likewise among schedules of at most `depth` preemptions, those with few first.
  virtual bool shows_within(program::Program& candidate, int depth,
                            std::uint64_t executions) = 0;
};

// Runs them in the process.
class ProcessProbe final : public Probe {
 public:
  // The finding has that signature (Finding::signature()); empty: it is any.
  explicit ProcessProbe(std::string signature);

  bool shows(program::Program& candidate, std::uint64_t executions) override;
  bool shows_within(program::Program& candidate, int depth,
                    std::uint64_t executions) override;
  // Returns the signature of the finding that was shown last.
  const std::string& shown() const { return shown_; }

 private:
  bool run(program::Program& candidate);
  bool search(program::Program& candidate, Schedule recipe, std::uint64_t executions);

  const std::string signature_;
  std::string shown_;
  FiberRuntime alone_;
  FiberRuntime runtime_;
  program::Runner runner_{alone_};
};

struct Minimized {
  std::uint64_t candidates = 0;  // that were tried
  std::uint64_t kept = 0;
  bool stopped = false;  // before nothing smaller was left to try
};

// Returns the sizes of a program in words: "2 tasks, 9 calls, 3 switches
// and choices".
std::string sizes_of(const program::Program& program);

class Minimizer {
 public:
  struct Hooks {
    std::function<bool()> stop;  // asked between candidates
    std::function<void(const program::Program&)>
        is_smaller;  // called with each success
  };
  // `program` shows the finding under its own schedule.
  Minimizer(program::Program program, Probe& probe, Hooks hooks);

  Minimized minimize();
  const program::Program& program() const { return best_; }

 private:
  // Whether fewer calls are worth a schedule with more switches.
  enum class Schedules : std::uint8_t { kAny, kNoLonger };
  bool keep(program::Program candidate, Schedules schedules = Schedules::kAny);
  bool keep_shorter(program::Program candidate);
  bool over();
  bool fewer_bugs();
  bool fewer_drops();
  bool fewer_tasks();
  bool fewer_calls();
  bool earlier_calls();
  bool plainer_machine();
  bool plainer_arguments();
  bool fewer_switches();
  bool fewer_preemptions();

  program::Program best_;
  Probe& probe_;
  Hooks hooks_;
  Minimized count_;
};

}  // namespace racier::repro
