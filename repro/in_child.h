// repro/in_child.h - does something in child processes, which may die of it.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "repro/child_process.h"

namespace racier::repro {

// Runs `work` in a copy of this process, whose output to stderr goes nowhere; kills it
// at `deadline`.  If this process is asked to stop, so is the child. Throws CannotRun:
// there is no other process.  Context: no other threads.
ChildResult run_in_child(const std::function<std::string()>& work,
                         std::chrono::steady_clock::time_point deadline);

// Likewise, of work that says what it has to say itself.
ChildResult run_in_child(const ChildProcess::Work& work,
                         std::chrono::steady_clock::time_point deadline);

// Returns the last whole line of what a child said; "": there is none.
std::string last_line(const std::string& said);

// Many works, each in a process of its own.
struct Works {
  std::size_t count = 0;
  std::size_t jobs = 1;            // so many run at once
  std::chrono::seconds limit{60};  // one that takes longer is killed
  std::function<void(std::size_t work, const ChildProcess::Say&)> carry_out;
  // Called here when one begins, and when it has ended, however.
  std::function<void(std::size_t work)> begins;
  std::function<void(std::size_t work, const ChildResult&)> ended;
  // Called here now and then.
  std::function<void()> waiting;
};

// Carries them out.  If this process is asked to stop, so are those that run, and no
// other is begun.  Throws CannotRun, likewise.
void run_in_children(const Works& works);

}  // namespace racier::repro
