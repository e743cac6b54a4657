// core/runtime/describe.h - what runtimes say of tasks that cannot go on.
#pragma once
#include <source_location>
#include <span>
#include <string>

#include "core/sync/task.h"

namespace racier {

// A task that cannot go on, and where.
struct Stuck {
  const Task* task;
  bool sleeps;  // else it waits for a word to change
  std::source_location where;
};

// "INFO: task hung in down_write / lock_page": the functions, each once, sorted; of the
// tasks that wait for each other in a circle, or if none do, of all that are not idle.
std::string hung_title(std::span<const Stuck> stuck);
// Returns whether some of them wait for each other in a circle.
bool is_cycle(std::span<const Stuck> stuck);

// Who waits for whom, if that is a cycle; then a line for each: where it is, and the
// locks that it holds.
std::string describe(std::span<const Stuck> stuck);

// "down_write (rw_semaphore.cc:31)".
std::string describe_place(std::source_location where);

}  // namespace racier
