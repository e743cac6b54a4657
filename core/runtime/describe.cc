// core/runtime/describe.cc - words for deadlocks.
//
// Tested by fiber_runtime_test.cc.
#include "core/runtime/describe.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

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

// Indices of tasks: each waits for what the next one holds, the last for the first's.
using Cycle = std::vector<int>;

// Extends `path` to a cycle, by whoever holds what its last one wants; a lock may have
// several holders.  Returns whether there is one.
bool close(std::span<const Stuck> stuck, Cycle& path) {
  const Stuck& last = stuck[static_cast<std::size_t>(path.back())];
  for (int next = path.front(); next < static_cast<int>(stuck.size()); ++next) {
    if (what_keeps(last, stuck[static_cast<std::size_t>(next)]) == nullptr) continue;
    if (next == path.front()) return true;
    if (std::find(path.begin(), path.end(), next) != path.end()) continue;
    path.push_back(next);
    if (close(stuck, path)) return true;
    path.pop_back();
  }
  return false;
}

// Returns the cycle with the lowest task, or none: begins with its lowest.
Cycle find_cycle(std::span<const Stuck> stuck) {
  for (int start = 0; start < static_cast<int>(stuck.size()); ++start) {
    Cycle path{start};
    if (close(stuck, path)) return path;
  }
  return {};
}

std::string describe_cycle(std::span<const Stuck> stuck) {
  const Cycle cycle = find_cycle(stuck);
  std::string text = cycle.empty() ? "" : "a cycle of waiting:\n";
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    const Stuck& one = stuck[static_cast<std::size_t>(cycle[i])];
    const Stuck& other = stuck[static_cast<std::size_t>(cycle[(i + 1) % cycle.size()])];
    text += "  task " + std::to_string(one.task->id) + " waits for " +
            one.task->wanted.lock_class->name + " in " + describe_place(one.where) +
            "; task " + std::to_string(other.task->id) + " holds it since " +
            describe_place(what_keeps(one, other)->where) + "\n";
  }
  return text;
}

// Those that a title is about.
std::vector<Stuck> victims(std::span<const Stuck> stuck) {
  std::vector<Stuck> found;
  for (const int task : find_cycle(stuck)) {
    found.push_back(stuck[static_cast<std::size_t>(task)]);
  }
  if (!found.empty()) return found;
  std::copy_if(stuck.begin(), stuck.end(), std::back_inserter(found),
               [](const Stuck& one) { return !one.task->idle; });
  if (found.empty()) found.assign(stuck.begin(), stuck.end());
  return found;
}

}  // namespace

std::string hung_title(std::span<const Stuck> stuck) {
  std::set<std::string> functions;
  for (const Stuck& one : victims(stuck)) {
    functions.insert(bare_function_name(one.where.function_name()));
  }
  std::string title = "INFO: task hung in ";
  for (const std::string& function : functions) {
    title += (function == *functions.begin() ? "" : " / ") + function;
  }
  return title;
}

bool is_cycle(std::span<const Stuck> stuck) { return !find_cycle(stuck).empty(); }

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
