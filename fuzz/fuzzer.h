// fuzz/fuzzer.h - runs what a fuzzer thinks of, and says what was found.
#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "core/program/as_posted.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/trace.h"
#include "fuzz/target.h"

namespace racier::fuzz {

// Runs programs one after the other on one machine and one set of fibers.  Every audit
// and the watcher are on.
class Fuzzer final : public Target {
 public:
  explicit Fuzzer(const Options& options);

  // `observer` sees each run of a program's tasks that is no second one; may be null.
  void set_feedback(StepObserver* observer) override { feedback_ = observer; }
  // Told of each call; may be null.  For tests.
  void set_call_observer(program::CallObserver* observer) {
    run_options_.observer = observer;
  }

  std::optional<Found> run_bytes(std::span<const std::uint8_t> bytes) override;
  std::optional<Found> run(program::Program program);

  bool was_slow() const override { return steps_ > kSlowSteps; }

  // Returns the hash of the trace of the last input that was run twice (core/runtime/
  // trace.h); 0: none was, or its tasks did not run.
  std::uint64_t trace_hash() const { return trace_hash_; }

  std::optional<Finding> replay(const program::Program& program) override;

 private:
  static constexpr std::uint64_t kSlowSteps = 1 << 16;
  // A run that still goes on after so many times steps_max makes no progress.
  static constexpr std::uint32_t kPatience = 16;

  const program::RunResult& run_once(const program::Program& program,
                                     StepObserver* observer);
  const program::RunResult& run_patiently(const program::Program& program,
                                          StepObserver* observer);
  Schedule schedule_of_run(const program::Program& program,
                           const program::RunResult& result) const;
  std::optional<Found> run_twice(const program::Program& program);
  Found found(program::Program program, const program::RunResult& result) const;

  Options options_;
  const program::AsPosted* patch_ = nullptr;
  program::RunOptions run_options_;
  StepObserver* feedback_ = nullptr;
  FiberRuntime alone_;
  FiberRuntime runtime_;
  program::Runner runner_{alone_};
  std::uint64_t inputs_ = 0;
  std::uint64_t steps_ = 0;
  Trace first_;
  Trace second_;
  std::uint64_t trace_hash_ = 0;  // of the first
};

}  // namespace racier::fuzz
