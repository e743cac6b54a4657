// repro/hunt_columns.cc - see hunt_columns.h.  Tested by hunt_columns_test.cc.
#include "repro/hunt_columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "repro/files.h"
#include "repro/program_changes.h"

namespace racier::repro {
namespace {

using Json = nlohmann::ordered_json;

// Returns how soon it is found; "": its turn did not come; "n/a": something is where
// nothing is armed; "died": the process, before it was; "other": only what is not of
// the row's kind; "-": nothing.
std::string soon(const HuntColumn& column, const Quarry& quarry) {
  if (!quarry.hunted) return "";
  const Hunted& hunted = *quarry.hunted;
  if (!hunted.clean()) return "n/a";
  if (hunted.found() == 0 && !hunted.death.empty()) return "died";
  if (hunted.found() == 0) return hunted.others > 0 ? "other" : "-";
  const SearchResult* const median = hunted.median();
  std::string text = median == nullptr ? "" : fmt::format("{}", median->executions);
  if (median != nullptr && column.engine == HuntEngine::kThreads) {
    text += fmt::format(", {:.1f} s", median->seconds);
  }
  if (hunted.found() == hunted.searches.size()) return text;
  return text + fmt::format("{}({}/{})", text.empty() ? "" : " ", hunted.found(),
                            hunted.searches.size());
}

// Returns the row's in that column, or nullptr.
const Quarry* quarry_of(const HuntColumn& column, const bug::Row& row) {
  const auto quarry = std::find_if(column.quarries.begin(), column.quarries.end(),
                                   [&](const Quarry& one) { return one.row == &row; });
  return quarry == column.quarries.end() ? nullptr : &*quarry;
}

// Returns the rows of all columns, in the order of the list.
std::vector<const bug::Row*> rows_of(std::span<const HuntColumn> columns) {
  std::vector<const bug::Row*> rows;
  for (const bug::Row& row : bug::rows()) {
    if (std::any_of(columns.begin(), columns.end(), [&](const HuntColumn& column) {
          return quarry_of(column, row) != nullptr;
        })) {
      rows.push_back(&row);
    }
  }
  return rows;
}

bool found_by_one(std::span<const HuntColumn> columns, const bug::Row& row) {
  return std::any_of(columns.begin(), columns.end(), [&](const HuntColumn& column) {
    const Quarry* const quarry = quarry_of(column, row);
    return quarry != nullptr && quarry->found();
  });
}

// Returns the words of each row's line.
std::vector<std::string> line_of(std::span<const HuntColumn> columns,
                                 const bug::Row& row) {
  std::vector<std::string> words;
  for (const HuntColumn& column : columns) {
    const Quarry* const quarry = quarry_of(column, row);
    words.push_back(quarry == nullptr ? "" : soon(column, *quarry));
  }
  return words;
}

// Returns a line for each cell whose process died.
std::string deaths_in(std::span<const HuntColumn> columns) {
  std::string text;
  for (const HuntColumn& column : columns) {
    for (const Quarry& quarry : column.quarries) {
      if (!quarry.hunted || quarry.hunted->death.empty()) continue;
      text += fmt::format("{} {} by {}: the process ended: {}\n", quarry.row->id,
                          quarry.row->name, column.title(), quarry.hunted->death);
    }
  }
  return text;
}

// Returns what a column was allowed: "release build, at most 20000 executions and 30
// s".
std::string allowed(const HuntColumn& column) {
  const HuntLimits& limits = column.limits;
  const char* const unit =
      column.engine == HuntEngine::kThreads ? "rounds" : "executions";
  std::string text = column.build + " build, at most ";
  if (limits.search.executions != SearchLimits().executions) {
    text += fmt::format("{} {} and ", limits.search.executions, unit);
  }
  text += fmt::format("{:g} s", limits.search.time.count());
  if (limits.repeat > 1) text += fmt::format(", median of {} searches", limits.repeat);
  return text;
}

HuntColumn column_of(const Json& json) {
  HuntColumn column;
  column.engine = hunt_engine_named(json.at("engine"));
  if (column.engine == HuntEngine::kSchedules) {
    column.limits.recipe.strategy = strategy_named(json.at("strategy"));
  }
  column.build = json.at("build");
  column.machine = json.value("machine", "");
  const Json& limits = json.at("limits");
  column.limits.seed = limits.at("seed");
  column.limits.repeat = limits.at("repeat");
  column.limits.search.time = std::chrono::duration<double>(limits.at("seconds"));
  column.limits.search.executions =
      limits.value("executions", SearchLimits().executions);
  for (const Json& bug : json.at("bugs")) {
    const std::string name = bug.at("name");
    const auto known = bug::find(name);
    if (!known) throw BadInput(fmt::format("no bug '{}'", name));
    Quarry quarry{&bug::row(*known), {}};
    if (bug.contains("searches")) quarry.hunted = hunted_of(bug);
    column.quarries.push_back(std::move(quarry));
  }
  return column;
}

}  // namespace

std::string HuntColumn::title() const {
  const bool schedules = engine == HuntEngine::kSchedules;
  std::string text =
      schedules ? strategy_name(limits.recipe.strategy) : hunt_engine_name(engine);
  if (!machine.empty()) text = machine;
  if (engine == HuntEngine::kThreads || build != "release") text += " " + build;
  return text;
}

std::size_t HuntColumn::found() const {
  return static_cast<std::size_t>(
      std::count_if(quarries.begin(), quarries.end(),
                    [](const Quarry& quarry) { return quarry.found(); }));
}

std::vector<StrategyKind> searching_strategies() {
  std::vector<StrategyKind> strategies;
  for (int i = 0; i < kStrategyKinds; ++i) {
    const auto kind = static_cast<StrategyKind>(i);
    const bool one_schedule =
        kind == StrategyKind::kRunToBlock || kind == StrategyKind::kReplay;
    if (!one_schedule) strategies.push_back(kind);
  }
  return strategies;
}

Json json_of(const HuntColumn& column, double seconds) {
  Json json = {{"engine", hunt_engine_name(column.engine)}};
  if (column.engine == HuntEngine::kSchedules) {
    json["strategy"] = strategy_name(column.limits.recipe.strategy);
  }
  json["build"] = column.build;
  if (!column.machine.empty()) json["machine"] = column.machine;
  const HuntLimits& asked = column.limits;
  Json limits = {{"seconds", asked.search.time.count()},
                 {"repeat", asked.repeat},
                 {"seed", asked.seed}};
  if (asked.search.executions != SearchLimits().executions) {
    limits["executions"] = asked.search.executions;
  }
  json["limits"] = std::move(limits);
  json.update(hunt_json(column.quarries, seconds));
  return json;
}

Json columns_json(std::span<const HuntColumn> columns, double seconds) {
  if (columns.size() == 1) return json_of(columns.front(), seconds);
  Json list = Json::array();
  for (const HuntColumn& column : columns) list.push_back(json_of(column, seconds));
  return {{"columns", std::move(list)}};
}

std::vector<HuntColumn> read_columns(const std::string& path) {
  const std::string text = read_file(path);
  try {
    const Json json = Json::parse(text);
    std::vector<HuntColumn> columns;
    if (!json.contains("columns")) return {column_of(json)};
    for (const Json& column : json.at("columns")) columns.push_back(column_of(column));
    return columns;
  } catch (const Json::exception&) {
    throw BadInput(path + ": not what hunt --json writes");
  } catch (const BadInput& error) {
    throw BadInput(fmt::format("{}: {}", path, error.what()));
  }
}

std::vector<HuntColumn> merged_columns(std::vector<HuntColumn> columns) {
  std::vector<HuntColumn> merged;
  for (HuntColumn& column : columns) {
    const auto same = std::find_if(
        merged.begin(), merged.end(),
        [&](const HuntColumn& other) { return other.title() == column.title(); });
    if (same == merged.end()) {
      merged.push_back(std::move(column));
      continue;
    }
    for (Quarry& quarry : column.quarries) {
      std::erase_if(same->quarries,
                    [&](const Quarry& other) { return other.row == quarry.row; });
      same->quarries.push_back(std::move(quarry));
    }
  }
  return merged;
}

std::string columns_table(std::span<const HuntColumn> columns, double seconds) {
  std::vector<std::vector<std::string>> lines = {{"bug"}};
  for (const HuntColumn& column : columns) lines.front().push_back(column.title());
  std::string lost;
  std::size_t found = 0;
  const std::vector<const bug::Row*> rows = rows_of(columns);
  for (const bug::Row* const row : rows) {
    const std::string title = fmt::format("{} {}", row->id, row->name);
    std::vector<std::string> words = line_of(columns, *row);
    words.insert(words.begin(), title);
    lines.push_back(std::move(words));
    const bool by_one = found_by_one(columns, *row);
    if (!by_one) lost += "NOT FOUND: " + title + "\n";
    found += by_one ? 1 : 0;
  }
  lines.push_back({"found"});
  for (const HuntColumn& column : columns) {
    lines.back().push_back(std::to_string(column.found()));
  }
  return "executions until it is found; " + allowed(columns.front()) + "\n" +
         text_of_columns(lines, 1) + lost + deaths_in(columns) +
         fmt::format("{} of {} rows found by one or more; {:.1f} s in all\n", found,
                     rows.size(), seconds);
}

std::string columns_markdown(std::span<const HuntColumn> columns) {
  std::string text = "| bug |", rule = "| --- |", last = "| found |";
  for (const HuntColumn& column : columns) {
    text += " " + column.title() + " |";
    rule += " ---: |";
    last += fmt::format(" {} of {} |", column.found(), column.quarries.size());
  }
  text += "\n" + rule + "\n";
  for (const bug::Row* const row : rows_of(columns)) {
    text += fmt::format("| {} `{}` |", row->id, row->name);
    for (const std::string& word : line_of(columns, *row)) text += " " + word + " |";
    text += "\n";
  }
  text += last + "\n\n";
  for (std::size_t i = 0; i < columns.size();) {
    const std::string limits = allowed(columns[i]);
    std::string names = columns[i].title();
    while (++i < columns.size() && allowed(columns[i]) == limits) {
      names += ", " + columns[i].title();
    }
    text += fmt::format("- {}: {}\n", names, limits);
  }
  return text;
}

bool all_found(std::span<const HuntColumn> columns) {
  const std::vector<const bug::Row*> rows = rows_of(columns);
  return std::all_of(rows.begin(), rows.end(),
                     [&](const bug::Row* row) { return found_by_one(columns, *row); });
}

}  // namespace racier::repro
