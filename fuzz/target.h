// fuzz/target.h - what a fuzz target does with an input.
//
// libfuzzer.cc is libFuzzer's side of all of them; a target is a file that defines the
// three functions below.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/program/runner.h"
#include "core/runtime/step_observer.h"
#include "fuzz/options.h"

namespace racier::fuzz {

// A finding and all that it takes to see it again.
struct Found {
  Finding finding;
  program::Phase phase = program::Phase::kSetup;
  program::Program program;  // with its armed bugs, recorded schedule and expectation
  std::string replay = {};   // how to see it again; empty: run the program
};

class Target {
 public:
  Target() = default;
  virtual ~Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  // Runs the program in `bytes`; all bytes are one.  Returns what it found.
  virtual std::optional<Found> run_bytes(std::span<const std::uint8_t> bytes) = 0;
  // Returns whether the last input is too slow to be worth changing.
  virtual bool was_slow() const = 0;
  // Runs a finding's program once more; returns what that finds.
  virtual std::optional<Finding> replay(const program::Program& program) = 0;
  // Returns what there is to say of all inputs together, a line, or "".
  virtual std::string summary() const { return ""; }
  // `observer` sees the runs that libFuzzer is to be guided by; may be null.
  virtual void set_feedback(StepObserver* /*observer*/) {}
};

// Returns the name of this program, zero-terminated.
std::string_view target_name();
// Returns the name of an option that means nothing to the target, or "".
std::string_view option_without_meaning(const Options& options);
std::unique_ptr<Target> make_target(const Options& options);

}  // namespace racier::fuzz
