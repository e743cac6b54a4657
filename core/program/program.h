// core/program/program.h - a program: what a machine is to do, who may interrupt whom,
// and what should come of it.
//
// A value.  It is written by hand (parse.h), printed (print.h), decoded from a fuzzer's
// bytes (bytes.h), generated, mutated and minimised (generate.h, mutate.h, edit.h), and
// run (runner.h).
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bug.h"
#include "core/base/finding.h"
#include "core/base/mark.h"
#include "core/base/schedule.h"
#include "core/base/site.h"
#include "core/objects/machine.h"
#include "core/program/outcome.h"

namespace racier::program {

inline constexpr int kProgramTasksMax = 8;
inline constexpr int kArgumentsMax = 7;

// What calls work on.  Processes, mappings, pinned pages and secondary MMUs are defined
// by calls, files by the machine.
enum class Variable : std::uint8_t { kProcess, kMapping, kFile, kPin, kSecondary };
inline constexpr int kVariableKinds = static_cast<int>(Variable::kSecondary) + 1;

// In the place of a variable's number: none; the call will do nothing.
inline constexpr std::uint64_t kNoVariable = ~0ull;

// One call of an op.  `arguments` are as the op's row says (ops.h), the rest 0.  If the
// op defines a variable, its number is the count of those that come before in the
// program.
struct Call {
  std::uint16_t op = 0;        // index in op_table()
  std::uint16_t fail_nth = 0;  // the n-th allocation that may fail does; 0: none
  std::array<std::uint64_t, kArgumentsMax> arguments{};
  std::optional<Expected> expected;
  std::string note;  // the comment above it, lines without their "# "
  bool operator==(const Call&) const = default;
};
using Calls = std::vector<Call>;

// How the run should end.
struct Expectation {
  enum class Kind : std::uint8_t { kClean, kFinding, kAny };
  Kind kind = Kind::kClean;
  FindingKind finding = FindingKind::kInvariant;
  std::string title;  // empty: any finding of that kind
  bool operator==(const Expectation&) const = default;
};

struct MarkExpectation {
  Mark mark = Mark::kUnmapStaleHint;
  std::uint32_t at_least = 1;
  bool operator==(const MarkExpectation&) const = default;
};

struct Program {
  std::string header;  // the comment at the top, lines without their "# "
  MachineOptions machine;
  BugSet bugs;
  std::vector<SiteName> drops;  // sites of the code that it does without
  Calls setup;                  // runs alone, before the tasks
  std::vector<Calls> tasks;     // run together; named A, B, ...
  std::string schedule_note;    // the comment above the schedule
  Schedule schedule;
  Expectation expectation;
  std::vector<MarkExpectation> marks;

  // Lists of calls in program order: the setup, then the tasks.
  int lists() const { return static_cast<int>(tasks.size()) + 1; }
  Calls& list(int index) { return index == 0 ? setup : tasks[index - 1]; }
  const Calls& list(int index) const { return index == 0 ? setup : tasks[index - 1]; }
  std::size_t calls() const;

  bool operator==(const Program&) const = default;
};

// How many variables of each kind a program has.
struct Scope {
  std::array<std::uint32_t, kVariableKinds> counts{};
  std::uint32_t& of(Variable kind) { return counts[static_cast<std::size_t>(kind)]; }
  std::uint32_t of(Variable kind) const {
    return counts[static_cast<std::size_t>(kind)];
  }
};
Scope scope_of(const Program& program);

// Returns everything that is wrong with `program`, a sentence each; empty: it can be
// run, printed and encoded.
std::vector<std::string> validate(const Program& program);

// Returns the name of a task in texts: "A" to "H"; behind the last one comes the task
// that runs RCU callbacks, "rcu".
std::string task_name(int task, int tasks);
std::optional<int> find_task(std::string_view name, int tasks);

}  // namespace racier::program
