// repro/pair_hunt.h - all pairs, in child processes; and which armed bugs they find.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/bug.h"
#include "repro/pair_matrix.h"

namespace racier::repro {

// How it goes on: as Works has it (in_child.h).
struct PairHooks {
  std::function<void(std::size_t work, const std::string& what)> begins;
  std::function<void(std::size_t work)> ended;
  std::function<void()> waiting;
};

// How many works of child processes the cells of a matrix are, if none dies.
std::size_t works_of(const PairMatrix& matrix);

// Runs all cells, `jobs` child processes at once.  A process that dies is a finding of
// the cell that it was at; the cells behind go on in another one.  Throws CannotRun.
void run_pairs(PairMatrix& matrix, std::size_t jobs, const PairLimits& limits,
               const PairHooks& hooks);

// A row of the list of bugs, hunted in pairs.
struct PairQuarry {
  const bug::Row* row = nullptr;
  // Why it is none for pairs of tasks in strongly ordered memory; "": it is one.
  std::string apart;
  bool hunted = false;
  bool found = false;
  std::uint64_t pairs = 0;  // that were tried
  std::uint64_t runs = 0;
  double seconds = 0;
  std::string by;       // the cell that found it
  std::string why;      // the title of the finding; or how the process died
  std::string program;  // that shows it
};

// Returns the row as a quarry; `program` is the one that shows it.
PairQuarry quarry_of(const bug::Row& row, const program::Program& program);

// Arms the row, and tries all pairs of all set-ups on the machine of `program`, with
// one preemption, then with as many as `limits` say, until a finding is of the row's
// kind. Goes on behind the pairs that `quarry` counts already; tells `tell` before
// each, as it may end the process.
void hunt_in_pairs(PairQuarry& quarry, const program::Program& program,
                   const std::vector<PairSetup>& setups, const PairLimits& limits,
                   const std::function<void(const PairQuarry&)>& tell);

nlohmann::ordered_json json_of(const PairQuarry& quarry);
// Makes `quarry`, of a row, what json_of() was given.
void read_quarry(PairQuarry& quarry, const nlohmann::ordered_json& json);

// Returns a line for each that was hunted, one for each that was not found, and a sum.
std::string quarries_text(std::span<const PairQuarry> quarries, double seconds);
// Whether all that were hunted for were found.
bool all_found(std::span<const PairQuarry> quarries);

}  // namespace racier::repro
