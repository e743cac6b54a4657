// repro/hunt_columns.h - who finds what: ways to look for the bugs, side by side.
//
// A column is one way: a strategy alone, libFuzzer, plain threads in some build; or one
// machine instead of each program's own.  It is kept as JSON, and tables are made of
// the columns of one hunt or of several files.
#pragma once
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "repro/hunt_text.h"

namespace racier::repro {

struct HuntColumn {
  HuntEngine engine = HuntEngine::kSchedules;
  std::string build;
  std::string machine;  // of pair_machines(); "": each program's own
  HuntLimits limits;    // who reads it has the strategy, seed, repeat and search
  std::vector<Quarry> quarries;

  // Returns "pos", "libfuzzer", "threads tsan": with the build, but a schedule's or a
  // libFuzzer's of release; or the machine, and likewise the build.
  std::string title() const;
  std::size_t found() const;
};

// Returns the strategies that try more than one schedule.
std::vector<StrategyKind> searching_strategies();

// Returns engine, strategy, build, limits, and the JSON of its hunt.
nlohmann::ordered_json json_of(const HuntColumn& column, double seconds);
// Returns that of one column, or of all of them.
nlohmann::ordered_json columns_json(std::span<const HuntColumn> columns,
                                    double seconds);
// Reads either from a file.  Throws BadInput.
std::vector<HuntColumn> read_columns(const std::string& path);
// Makes one of those with the same title, in which what comes later wins.
std::vector<HuntColumn> merged_columns(std::vector<HuntColumn> columns);

// Returns a line for each row of columns that have the same rows, in which stands the
// median of the executions; then how many each has found, what nobody found, and a
// summary.
std::string columns_table(std::span<const HuntColumn> columns, double seconds);
// Returns a table in Markdown, of columns of whatever rows, and what they are.
std::string columns_markdown(std::span<const HuntColumn> columns);
// Returns whether each row is found in some column.
bool all_found(std::span<const HuntColumn> columns);

}  // namespace racier::repro
