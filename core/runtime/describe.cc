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

// Returns the lock that `one` wants, as `other` holds it, or nullptr.
const HeldLock* what_keeps(const Stuck& one, const Stuck& other) {
  const WantedLock& wanted = one.task->wanted;
  if (wanted.lock == nullptr) return nullptr;
  for (int i = 0; i < other.task->held_count; ++i) {
    const HeldLock& held = other.task->held[static_cast<std::size_t>(i)];
    if (held.lock == wanted.lock && held.lock_class == wanted.lock_class) return &held;
  }
  return nullptr;
}

// Returns the index of a task that holds what `stuck[i]` wants, or -1.
int holder(std::span<const Stuck> stuck, int i) {
  for (int other = 0; other < static_cast<int>(stuck.size()); ++other) {
    if (what_keeps(stuck[static_cast<std::size_t>(i)],
                   stuck[static_cast<std::size_t>(other)]) != nullptr)
      return other;
  }
  return -1;
}

// Returns the index of a task that waits for itself, by way of others, or -1.
int member_of_cycle(std::span<const Stuck> stuck) {
  const int count = static_cast<int>(stuck.size());
  for (int start = 0; start < count; ++start) {
    int at = start;
    for (int hops = 0; hops < count && at >= 0; ++hops) {
      at = holder(stuck, at);
      if (at == start) return start;
    }
  }
  return -1;
}

std::string describe_cycle(std::span<const Stuck> stuck) {
  const int start = member_of_cycle(stuck);
  if (start < 0) return "";
  std::string text = "a cycle of waiting:\n";
  int at = start;
  do {
    const Stuck& one = stuck[static_cast<std::size_t>(at)];
    at = holder(stuck, at);
    const Stuck& other = stuck[static_cast<std::size_t>(at)];
    text += "  task " + std::to_string(one.task->id) + " waits for " +
            one.task->wanted.lock_class->name + " in " + describe_place(one.where) +
            "; task " + std::to_string(other.task->id) + " holds it since " +
            describe_place(what_keeps(one, other)->where) + "\n";
  } while (at != start);
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
  std::string text = describe_cycle(stuck);
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
