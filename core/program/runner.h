// core/program/runner.h - runs programs.
//
//   FiberRuntime alone;  // by the fixed rule: for set-up and teardown
//   Runner runner(alone);
//   FiberRuntime runtime(program.schedule);
//   const RunResult& result = runner.run(program, runtime, {});
//   const Verdict verdict = judge(program, result);
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/run_state.h"
#include "core/check/auditor.h"
#include "core/check/watcher.h"
#include "core/memory/fault_injection.h"
#include "core/program/program.h"
#include "core/program/run.h"
#include "core/sync/runtime.h"
#include "core/sync/sites.h"

namespace racier::program {

// Told of each call of a run, on the task that makes it.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  // `call` is its number in the program; `list` as Program::list().
  virtual void call_begins([[maybe_unused]] int list,
                           [[maybe_unused]] std::uint32_t call) {}
  virtual void call_ends([[maybe_unused]] int list,
                         [[maybe_unused]] std::uint32_t call) {}
};

struct RunOptions {
  // Audits at quiescence: behind the tasks, and for leaks behind the teardown.
  bool audit = true;
  bool teardown = true;  // ends all processes; without it there is no leak audit
  // Watches every step of memory and of the reverse map.  Not with native threads.
  bool watch = true;
  // Fails an allocation of the run, or counts them all; null: neither.
  std::optional<FailAlloc> fail_alloc = std::nullopt;
  BugSet bugs = {};      // armed as well as those of the program
  BugSet disarmed = {};  // not armed, although the program says so
  bool drops = true;     // without them, what the program drops is there
  // Told of the sites of the run, in the place of what the program drops.
  Sites* sites = nullptr;
  CallObserver* observer = nullptr;  // of setup and tasks
};

// Where in a run its finding came up.
enum class Phase : std::uint8_t { kSetup, kTasks, kAudit, kTeardown, kLeakAudit };
const char* phase_name(Phase phase);

struct RunResult {
  std::optional<Finding> finding;  // its task and step are of the phase's own run
  Phase phase = Phase::kSetup;     // the last one that began
  std::vector<Outcome> outcomes;   // of each call, setup first
  std::array<std::uint32_t, kMarks> marks{};
  std::uint64_t steps = 0;    // of the tasks
  std::uint32_t skipped = 0;  // calls whose operands did not exist
  // If an allocation was to fail: how many were asked, and which one did, if there were
  // so many.
  std::uint32_t allocations = 0;
  std::optional<AllocFailures::Place> failed;

  std::uint32_t mark(Mark mark) const { return marks[static_cast<std::size_t>(mark)]; }
};

// Runs one program after the other.  Machines are kept for the next program that wants
// one like them; nothing else is: what a run leaves behind, however it ended, the next
// one wipes.  Belongs to one OS thread.
class Runner {
 public:
  // Set-up and teardown run as the only task on `alone`, which decides nothing at
  // random, so that a schedule is about the tasks and nothing else.
  explicit Runner(Runtime& alone);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Runs `program`, which is valid, with its tasks on `runtime`.  The result is valid
  // until the next run.
  const RunResult& run(const Program& program, Runtime& runtime,
                       const RunOptions& options);

  // The machine and the run that were used last, as the run left them: for reports.
  Machine* machine() const;
  const RunState& state() const { return state_; }

  // For the observer of a program with one task, between two calls.
  // Returns the address space of a process, or nullptr.
  Mm* process(std::uint64_t number) const { return variables_.peek_process(number); }
  // What came of a call.
  const Outcome& outcome(std::uint32_t call) const { return result_.outcomes[call]; }
  // Reports what the audit at quiescence would.  No step.
  void audit_now();

 private:
  struct Station;  // a machine with its watcher and its auditor
  // Where a list of calls starts: the number of its first call, and of the first
  // variables that it defines.
  struct Start {
    std::uint32_t call = 0;
    Scope defined;
  };

  Station& station_for(const MachineOptions& options);
  void begin(const Program& program, const RunOptions& options);
  void begin_failures(const MachineOptions& machine);
  void begin_sites(const Program& program);
  void number_lists(const Program& program);
  void run_phases(const Program& program, Runtime& runtime, const RunOptions& options);
  void run_setup(const Program& program);
  void run_tasks(const Program& program, Runtime& runtime);
  // Returns the CPU that it was on in the end.
  int run_calls(const Program& program, int list);
  void audit();
  void tear_down();
  void finish();
  bool over() const { return state_.over(); }

  static constexpr std::size_t kStationsMax = 8;

  Runtime& alone_;
  RunOptions options_;                              // of the current run
  std::vector<std::unique_ptr<Station>> stations_;  // the last used first
  Station* station_ = nullptr;
  Variables variables_;
  std::vector<Start> starts_;  // by list
  RunState state_;
  AllocFailures failures_;
  std::optional<LeftOut> left_out_;  // what the program drops
  RunResult result_;
  std::vector<check::MmUsers> users_;
  std::vector<Page*> pins_;
};

// Whether a run was as its program expects.
struct Verdict {
  std::vector<std::string> problems;  // a sentence each
  bool met() const { return problems.empty(); }
};
Verdict judge(const Program& program, const RunResult& result);

// Makes the outcomes that `program` expects those that it had.
void rewrite_outcomes(Program& program, const RunResult& result);

}  // namespace racier::program
