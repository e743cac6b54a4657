// stress/bench_strategies.cc - strategies against shapes, in executions to the finding.
//
// A search goes on to its first finding, or gives up after so many executions; the
// figure of a strategy and a shape is the mean over many seeds.  Executions, not
// seconds: they are the same on every host.
#include "stress/bench_strategies.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/runtime/fiber_runtime.h"
#include "core/runtime/shapes.h"
#include "stress/bench_tools.h"
#include "stress/read_options.h"

namespace racier {
namespace {

namespace options = boost::program_options;
using Json = nlohmann::ordered_json;

struct Contestant {
  std::string name;
  StrategyKind kind;
  std::uint8_t depth = 0;
};

std::vector<Contestant> contestants() {
  return {{"random_walk", StrategyKind::kRandomWalk},
          {"pct 3", StrategyKind::kPct, 3},
          {"pct 5", StrategyKind::kPct, 5},
          {"pct", StrategyKind::kPct},
          {"starvation", StrategyKind::kStarvation},
          {"pos", StrategyKind::kPos},
          {"surw", StrategyKind::kSurw},
          {"reads_from", StrategyKind::kReadsFrom},
          {"exhaustive", StrategyKind::kExhaustive},
          {"portfolio", StrategyKind::kPortfolio}};
}

struct Limits {
  int seeds = 20;
  int cap = 20'000;  // executions of a search
};

// What came of one strategy on one shape.
struct Cell {
  int searches = 0;
  int found = 0;
  double executions_to_find = 0;  // sum over those that found it
  double executions = 0;
  double steps = 0;
  double seconds = 0;

  // A search that found nothing counts as twice the cap.
  double mean(int cap) const {
    return (executions_to_find + 2.0 * cap * (searches - found)) / searches;
  }
  std::string text() const {
    if (found == 0) return "-";
    const std::string mean = fmt::format("{:.0f}", executions_to_find / found);
    return found == searches ? mean : fmt::format("{} ({}/{})", mean, found, searches);
  }
};

void search(const Shape& shape, const Schedule& schedule, int cap, Cell& cell) {
  FiberRuntime runtime(schedule, 1 << 16);
  RunState run;
  const auto begin = std::chrono::steady_clock::now();
  int execution = 0;
  do {
    ++execution;
    run_shape(shape, runtime, run, Mend::kNot);
    cell.steps += runtime.steps();
  } while (!run.over() && execution < cap && runtime.strategy().next_execution());
  cell.seconds +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  cell.executions += execution;
  ++cell.searches;
  if (!run.over()) return;
  ++cell.found;
  cell.executions_to_find += execution;
}

Cell measure(const Shape& shape, const Contestant& contestant, const Limits& limits) {
  Cell cell;
  const bool random = contestant.kind != StrategyKind::kExhaustive;
  for (int seed = 0; seed < (random ? limits.seeds : 1); ++seed) {
    Schedule schedule;
    schedule.strategy = contestant.kind;
    schedule.depth = contestant.depth;
    schedule.seed = static_cast<std::uint64_t>(seed);
    search(shape, schedule, limits.cap, cell);
  }
  return cell;
}

// ---- The table
// ---------------------------------------------------------------------------

struct Table {
  Limits limits;
  std::vector<Contestant> columns;
  std::vector<const Shape*> rows;
  std::vector<std::vector<Cell>> cells;  // by row, then by column
};

// Of the shapes that are noisy, or of those that are not.
struct Summary {
  int shapes = 0;
  double found = 0;  // of them, each by its share of searches
  double geomean = 0;
  double executions_per_second = 0;
  double steps_per_second = 0;
};

Summary summary(const Table& table, std::size_t column, bool noisy) {
  Summary all;
  double logs = 0, executions = 0, steps = 0, seconds = 0;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if (table.rows[row]->form.noisy != noisy) continue;
    const Cell& cell = table.cells[row][column];
    ++all.shapes;
    all.found += static_cast<double>(cell.found) / cell.searches;
    logs += std::log(cell.mean(table.limits.cap));
    executions += cell.executions;
    steps += cell.steps;
    seconds += cell.seconds;
  }
  if (all.shapes == 0) return all;
  all.geomean = std::exp(logs / all.shapes);
  all.executions_per_second = executions / seconds;
  all.steps_per_second = steps / seconds;
  return all;
}

void print_line(const std::string& name, const std::vector<std::string>& cells) {
  fmt::print("{:<28}", name);
  for (const std::string& cell : cells) fmt::print(" {:>13}", cell);
  fmt::print("\n");
}

void print_head(const Table& table) {
  std::vector<std::string> names;
  for (const Contestant& column : table.columns) names.push_back(column.name);
  print_line("shape (depth, steps, tasks)", names);
}

void print_row(const Shape& shape, const std::vector<Cell>& cells) {
  double steps = 0, executions = 0;
  std::vector<std::string> texts;
  for (const Cell& cell : cells) {
    steps += cell.steps;
    executions += cell.executions;
    texts.push_back(cell.text());
  }
  print_line(fmt::format("{} ({}, {:.0f}, {})", shape.name, shape.depth,
                         steps / executions, shape.tasks + shape.bystanders),
             texts);
  std::fflush(stdout);
}

void print_summary(const Table& table, bool noisy) {
  std::vector<std::string> found, geomean, executions, steps;
  int shapes = 0;
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    const Summary of = summary(table, column, noisy);
    shapes = of.shapes;
    found.push_back(fmt::format("{:.1f}", of.found));
    geomean.push_back(fmt::format("{:.1f}", of.geomean));
    executions.push_back(fmt::format("{:.0f}k", of.executions_per_second / 1e3));
    steps.push_back(fmt::format("{:.1f}", of.steps_per_second / 1e6));
  }
  if (shapes == 0) return;
  print_line(fmt::format("found, of {}{}", shapes, noisy ? " noisy ones" : ""), found);
  print_line("geomean (a miss: 2 x cap)", geomean);
  print_line("executions/s", executions);
  print_line("million steps/s", steps);
}

Json to_json(const Table& table) {
  Json json = {{"seeds", table.limits.seeds}, {"cap", table.limits.cap}};
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      const Cell& cell = table.cells[row][column];
      json["cells"].push_back({{"shape", table.rows[row]->name},
                               {"strategy", table.columns[column].name},
                               {"searches", cell.searches},
                               {"found", cell.found},
                               {"mean", cell.mean(table.limits.cap)}});
    }
  }
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    for (const bool noisy : {false, true}) {
      const Summary of = summary(table, column, noisy);
      json["summary"].push_back({{"strategy", table.columns[column].name},
                                 {"noisy", noisy},
                                 {"shapes", of.shapes},
                                 {"found", of.found},
                                 {"geomean", of.geomean},
                                 {"executions_per_second", of.executions_per_second},
                                 {"steps_per_second", of.steps_per_second}});
    }
  }
  return json;
}

void fill(Table& table) {
  print_head(table);
  for (const Shape* const shape : table.rows) {
    std::vector<Cell>& cells = table.cells.emplace_back();
    for (const Contestant& column : table.columns) {
      cells.push_back(measure(*shape, column, table.limits));
    }
    print_row(*shape, cells);
  }
  print_summary(table, false);
  print_summary(table, true);
}

// ---- The command
// ---------------------------------------------------------------------------

using Names = std::vector<std::string>;

bool is_wanted(const Names& wanted, const std::string& name) {
  return wanted.empty() ||
         std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

// Each of `wanted` must be one of `known`.
void require_known(const char* option, const Names& wanted, const Names& known) {
  for (const std::string& name : wanted) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw options::error(fmt::format("{}: there is no '{}'", option, name));
  }
}

Table empty_table(const options::variables_map& given) {
  const auto names = [&](const char* option) {
    return given.count(option) != 0 ? given[option].as<Names>() : Names();
  };
  Table table;
  table.limits.seeds = given["seeds"].as<int>();
  table.limits.cap = given["cap"].as<int>();
  if (table.limits.seeds < 1 || table.limits.cap < 1) {
    throw options::error("--seeds and --cap: expected a number from 1");
  }
  const Names strategies = names("strategy");
  Names known;
  for (const Contestant& one : contestants()) {
    known.push_back(one.name);
    if (is_wanted(strategies, one.name)) table.columns.push_back(one);
  }
  require_known("--strategy", strategies, known);
  const Names wanted = names("shape");
  known.clear();
  for (const Shape& shape : shapes()) {
    known.push_back(shape.name);
    if (is_wanted(wanted, shape.name)) table.rows.push_back(&shape);
  }
  require_known("--shape", wanted, known);
  return table;
}

}  // namespace

int bench_strategies(int argc, char** argv) {
  const Limits usual;
  std::string json;
  options::options_description all("options");
  all.add_options()("help", "print this text")(
      "json", options::value(&json)->value_name("FILE"),
      "write the table to FILE, too")(
      "seeds", options::value<int>()->default_value(usual.seeds),
      "so many searches each")("cap", options::value<int>()->default_value(usual.cap),
                               "a search gives up after so many executions")(
      "strategy", options::value<Names>()->composing(),
      "only this strategy, a column of the table; may be given again")(
      "shape", options::value<Names>()->composing(),
      "only this shape, a row of the table; may be given again");
  Table table;
  try {
    options::variables_map given;
    given = stress::read_options(all, argc, argv);
    if (given.count("help") != 0) {
      std::cout << "usage: racier bench strategies [options]\n" << all;
      return 0;
    }
    table = empty_table(given);
  } catch (const options::error& error) {
    return bench_wrong_use(error);
  }
  fill(table);
  return write_bench_result(json, to_json(table).dump(2) + "\n");
}

}  // namespace racier
