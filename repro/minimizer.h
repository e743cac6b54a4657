// repro/minimizer.h - the shortest story of a finding.
//
// Makes a program smaller as long as it shows the same finding: fewer tasks, calls,
// switches of its schedule, armed bugs; machine options and arguments as plain as they
// can be.  A change is tried with the schedule that was, as far as it still applies;
// then with new ones.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/program/program.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "stress/stop_signals.h"

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
  // Returns how many switches of `candidate`, which shows it under its own schedule,
  // leave a task that could have gone on.
  virtual int preemptions(const program::Program& candidate) = 0;
};

// Runs them in the process.
class ProcessProbe final : public Probe {
 public:
  // The finding has that signature (Finding::signature()); empty: it is any.
  // `stop` is asked between executions: then there is no other one.
  explicit ProcessProbe(std::string signature,
                        std::function<bool()> stop = stress::stop_requested);

  bool shows(program::Program& candidate, std::uint64_t executions) override;
  bool shows_within(program::Program& candidate, int depth,
                    std::uint64_t executions) override;
  int preemptions(const program::Program& candidate) override;
  // Returns the signature of the finding that was shown last.
  const std::string& shown() const { return shown_; }

 private:
  bool run(program::Program& candidate);
  // Runs under the schedules of the runtime's strategy, while it has others and `more`.
  bool search(program::Program& candidate, std::uint64_t executions,
              FunctionRef<bool()> more);

  const std::string signature_;
  const std::function<bool()> stop_;
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
  // How many schedules are tried in order, those with few preemptions first.
  static constexpr std::uint64_t kOrdered = 3'000;

  // `program` shows the finding under its own schedule.
  Minimizer(program::Program program, Probe& probe, Hooks hooks,
            std::uint64_t ordered = kOrdered);

  Minimized minimize();
  const program::Program& program() const { return best_; }

 private:
  // Whether fewer calls are worth a schedule with more switches.
  enum class Schedules : std::uint8_t { kAny, kNoLonger };
  bool keep(program::Program candidate, Schedules schedules = Schedules::kAny);
  bool is_longer(const program::Program& candidate);
  bool keep_shorter(program::Program candidate);
  bool over();
  void reduce();
  bool fewer_bugs();
  bool fewer_drops();
  bool fewer_tasks();
  bool fewer_calls();
  bool earlier_calls();
  bool plainer_machine();
  bool plainer_arguments();
  bool without_switches(std::size_t count);
  bool without_choices();
  bool fewer_switches();
  bool fewer_preemptions();
  bool moved_switch(std::size_t left_out, std::size_t moved);
  bool moved_switches();

  program::Program best_;
  Probe& probe_;
  Hooks hooks_;
  const std::uint64_t ordered_;
  std::optional<int> most_;  // preemptions that a smaller one may need
  Minimized count_;
};

}  // namespace racier::repro
