// repro/in_child.h - does something in a child process, which may die of it.
#pragma once
#include <chrono>
#include <functional>
#include <string>

namespace racier::repro {

struct ChildResult {
  std::string said;   // what the work returned
  std::string death;  // how the process ended, if not in order: "signal 11", and what a
                      // sanitizer said last; without numbers that differ each time
  bool late = false;  // it had to be killed
  bool operator==(const ChildResult&) const = default;
};

// Runs `work` in a copy of this process, whose output to stderr goes nowhere; kills it
// at `deadline`.  If this process is asked to stop, so is the child. Throws CannotRun:
// there is no other process.  Context: no other threads.
ChildResult run_in_child(const std::function<std::string()>& work,
                         std::chrono::steady_clock::time_point deadline);

}  // namespace racier::repro
