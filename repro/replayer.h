// repro/replayer.h - runs one program, once or again and again, and says how it went.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/trace.h"
#include "repro/trace_text.h"

namespace racier::repro {

struct Replay {
  std::optional<Finding> finding;  // of the run, or that two runs differed (kReplay)
  program::Phase phase = program::Phase::kSetup;  // where it came up
  std::vector<std::string> problems;              // what the program expected otherwise
  std::uint64_t steps = 0;
  std::uint64_t trace_hash = 0;
  std::uint32_t missed = 0;  // entries of its schedule that did not apply
  int runs = 0;
  Schedule schedule;  // as it was decided: replays the run

  bool met() const { return problems.empty(); }
};

class Replayer {
 public:
  explicit Replayer(const program::Program& program);

  // From the next run on these allocations fail (core/memory/fault_injection.h).
  void fail(const FailAlloc& fail) { fail_ = fail; }

  // Runs the program `times` times; stops at the first run that differs from the one
  // before.
  Replay run(int times);
  // Runs it once more, and returns the steps of its tasks as text.
  std::string trace_text();

 private:
  const program::RunResult& run_with(program::RunOptions options);
  Replay run_once();

  const program::Program& program_;
  FiberRuntime alone_;
  FiberRuntime runtime_;
  program::Runner runner_;
  Trace trace_;
  CallLog calls_;
  std::optional<FailAlloc> fail_;
};

// Returns `program` as one that shows the finding of `replay` for ever.
program::Program kept(const program::Program& program, const Replay& replay);

// Returns where a finding came up: "do_munmap (munmap.cc:31), task B, step 12 of it".
std::string place_of(const program::Program& program, const Replay& replay);

}  // namespace racier::repro
