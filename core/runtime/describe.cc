// core/runtime/describe.cc - words for deadlocks.
//
// Tested by fiber_runtime_test.cc.
#include "core/runtime/describe.h"

#include <set>

#include "core/base/source_name.h"

namespace racier {
namespace {

std::string describe_locks(const Task& task) {
  std::string text;
  for (int i = 0; i < task.held_count; ++i) {
    const HeldLock& held = task.held[static_cast<std::size_t>(i)];
    text += i == 0 ? ", holds " : ", ";
    text += held.lock_class->name;
    if (held.hold == Hold::kShared) text += " (shared)";
    text += " since " + describe_place(held.where);
  }
  return text;
}

}  // namespace

std::string hung_title(std::span<const Stuck> stuck) {
  std::set<std::string> functions;
  for (const Stuck& one : stuck) {
    functions.insert(bare_function_name(one.where.function_name()));
  }
  std::string title = "INFO: task hung in ";
  for (const std::string& function : functions) {
    title += (function == *functions.begin() ? "" : " / ") + function;
  }
  return title;
}

std::string describe(std::span<const Stuck> stuck) {
  std::string text;
  for (const Stuck& one : stuck) {
    text += "task " + std::to_string(one.task->id);
    text += one.sleeps ? " sleeps in " : " spins in ";
    text += describe_place(one.where) + describe_locks(*one.task) + "\n";
  }
  return text;
}

std::string describe_place(std::source_location where) {
  return bare_function_name(where.function_name()) + " (" +
         std::string(base_name(where.file_name())) + ":" +
         std::to_string(where.line()) + ")";
}

}  // namespace racier
