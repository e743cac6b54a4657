// repro/hunt_text.cc - see hunt_text.h.  Tested by hunt_text_test.cc.
#include "repro/hunt_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/program/machine_keys.h"

namespace racier::repro {
namespace {

using Json = nlohmann::ordered_json;

std::string title_of(const bug::Row& row) {
  return fmt::format("{} {}", row.id, row.name);
}

// What one row says in the table, a word for each column.
std::vector<std::string> cells_of(const Quarry& quarry) {
  std::vector<std::string> cells(7, "-");
  cells[0] = title_of(*quarry.row);
  if (!quarry.found()) {
    cells[1] = "NOT FOUND";
    return cells;
  }
  const Hunted& hunted = *quarry.hunted;
  const auto first =
      std::find_if(hunted.searches.begin(), hunted.searches.end(),
                   [](const SearchResult& search) { return search.found(); });
  cells[1] = first->kind;
  if (hunted.found() < hunted.searches.size()) {
    cells[1] += fmt::format(" ({}/{})", hunted.found(), hunted.searches.size());
  }
  if (const SearchResult* const median = hunted.median()) {
    cells[2] = fmt::format("{}", median->executions);
    cells[3] = fmt::format("{:.3f}", median->seconds);
  }
  if (hunted.smallest) {
    cells[4] = fmt::format("{}", hunted.smallest->calls);
    cells[5] = fmt::format("{}", hunted.smallest->switches);
    const bool longer = quarry.is_measured() && !quarry.holds();
    cells[6] = fmt::format("{}{}", longer ? "!" : "", hunted.smallest->preemptions);
  }
  return cells;
}

// What an engine makes one after the other.
const char* runs_of(HuntEngine engine) {
  return engine == HuntEngine::kThreads ? "rounds" : "executions";
}

// Why a row was not found, or how its hunt was cut short.
std::string complaint_of(const Quarry& quarry, HuntEngine engine) {
  if (!quarry.hunted) return "its turn did not come";
  const Hunted& hunted = *quarry.hunted;
  std::uint64_t executions = 0;
  double seconds = 0;
  for (const SearchResult& search : hunted.searches) {
    executions += search.executions;
    seconds += search.seconds;
  }
  std::string text = fmt::format("nothing of the kind {} in {} {}, {:.1f} s",
                                 finding_kind_name(quarry.row->shows), executions,
                                 runs_of(engine), seconds);
  const SearchEnd end =
      hunted.searches.empty() ? hunted.unarmed.end : hunted.searches.back().end;
  if (end == SearchEnd::kExhausted) text += "; the strategy has no other schedule";
  if (end == SearchEnd::kStopped) text += ", then it was stopped";
  if (hunted.others > 0) {
    text += fmt::format("; {} of another kind, first: {}", hunted.others, hunted.other);
  }
  if (!hunted.death.empty()) {
    text += fmt::format("; the process ended: {}", hunted.death);
  }
  return text;
}

std::string text_of_longer(const Quarry& quarry) {
  const Smallest& sizes = *quarry.hunted->smallest;
  const KnownSize& known = *quarry.known;
  return fmt::format(
      "! {}: {} tasks, {} preemptions: longer than twice the catalogue: {} and {}{}\n",
      title_of(*quarry.row), sizes.tasks, sizes.preemptions, known.tasks,
      known.preemptions, known.reason.empty() ? "" : "; " + known.reason);
}

std::string text_of_sizes(std::span<const Quarry> quarries) {
  std::size_t measured = 0, hold = 0;
  for (const Quarry& quarry : quarries) {
    measured += quarry.is_measured() ? 1 : 0;
    hold += quarry.holds() ? 1 : 0;
  }
  if (measured == 0) return "";
  return fmt::format(
      "{} of {} smallest programs are within twice the tasks and preemptions of the "
      "catalogue\n",
      hold, measured);
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

std::string summary_of(std::span<const Quarry> quarries, double seconds,
                       HuntEngine engine) {
  std::vector<double> executions, times;
  std::size_t found = 0;
  for (const Quarry& quarry : quarries) {
    if (!quarry.found()) continue;
    ++found;
    const SearchResult* const median = quarry.hunted->median();
    if (median == nullptr) continue;
    executions.push_back(static_cast<double>(median->executions));
    times.push_back(median->seconds);
  }
  std::string text = fmt::format("{} of {} rows found", found, quarries.size());
  if (!times.empty()) {
    text += fmt::format("; a bug: median {:.0f} {}, {:.3f} s, most {:.2f} s",
                        median_of(executions), runs_of(engine), median_of(times),
                        *std::max_element(times.begin(), times.end()));
  }
  return text + fmt::format("; {:.1f} s in all\n", seconds);
}

}  // namespace

Json json_of(const Smallest& sizes) {
  return {{"tasks", sizes.tasks},
          {"calls", sizes.calls},
          {"switches", sizes.switches},
          {"preemptions", sizes.preemptions}};
}

Smallest sizes_of(const Json& json) {
  return {json.at("tasks"), json.at("calls"), json.at("switches"),
          json.at("preemptions")};
}

Json json_of(const SearchResult& search) {
  Json json = {{"seed", search.seed},
               {"executions", search.executions},
               {"seconds", search.seconds},
               {"end", search_end_name(search.end)}};
  if (!search.found()) return json;
  json["kind"] = search.kind;
  json["title"] = search.title;
  return json;
}

SearchResult search_of(const Json& json) {
  SearchResult search;
  search.seed = json.at("seed");
  search.executions = json.at("executions");
  search.seconds = json.at("seconds");
  search.end = search_end_named(json.at("end").get<std::string>());
  search.kind = json.value("kind", "");
  search.title = json.value("title", "");
  return search;
}

Json json_of(const Hunted& hunted) {
  Json searches = Json::array();
  for (const SearchResult& search : hunted.searches) {
    searches.push_back(json_of(search));
  }
  Json json = {{"unarmed", json_of(hunted.unarmed)}, {"searches", searches}};
  if (hunted.others > 0) {
    json["others"] = hunted.others;
    json["other"] = hunted.other;
  }
  if (hunted.smallest) json["smallest"] = json_of(*hunted.smallest);
  if (!hunted.death.empty()) json["death"] = hunted.death;
  return json;
}

Hunted hunted_of(const Json& json) {
  Hunted hunted;
  hunted.unarmed = search_of(json.at("unarmed"));
  for (const Json& search : json.at("searches")) {
    hunted.searches.push_back(search_of(search));
  }
  hunted.others = json.value("others", std::uint64_t{0});
  hunted.other = json.value("other", "");
  if (json.contains("smallest")) hunted.smallest = sizes_of(json.at("smallest"));
  hunted.death = json.value("death", "");
  return hunted;
}

std::string text_of_columns(const std::vector<std::vector<std::string>>& lines,
                            std::size_t left) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], line[i].size());
    }
  }
  std::string text;
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i > 0) row += "  ";
      row += i < left ? fmt::format("{:<{}}", line[i], widths[i])
                      : fmt::format("{:>{}}", line[i], widths[i]);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

std::string hunt_table(std::span<const Quarry> quarries, double seconds,
                       HuntEngine engine) {
  std::vector<std::vector<std::string>> lines = {{"bug", "found by", runs_of(engine),
                                                  "seconds", "calls", "switches",
                                                  "preemptions"}};
  for (const Quarry& quarry : quarries) lines.push_back(cells_of(quarry));
  // The others make nothing smaller.
  if (engine != HuntEngine::kSchedules) {
    for (auto& line : lines) line.resize(4);
  }
  std::string text = text_of_columns(lines, 2);
  for (const Quarry& quarry : quarries) {
    if (!quarry.found()) {
      text += fmt::format("NOT FOUND: {}: {}\n", title_of(*quarry.row),
                          complaint_of(quarry, engine));
    } else if (!quarry.hunted->death.empty()) {
      text += fmt::format("{}: found; then the process ended: {}\n",
                          title_of(*quarry.row), quarry.hunted->death);
    }
    if (!quarry.clean()) {
      const SearchResult& unarmed = quarry.hunted->unarmed;
      text += fmt::format(
          "NOT ARMED, AND FOUND: {}: execution {} (seed {}): {} ({}): a false alarm, "
          "or a bug that no row names\n",
          title_of(*quarry.row), unarmed.executions, unarmed.seed, unarmed.title,
          unarmed.kind);
    }
  }
  for (const Quarry& quarry : quarries) {
    if (quarry.is_measured() && !quarry.holds()) text += text_of_longer(quarry);
  }
  return text + text_of_sizes(quarries) + summary_of(quarries, seconds, engine);
}

Json hunt_json(std::span<const Quarry> quarries, double seconds) {
  Json bugs = Json::array();
  std::size_t found = 0;
  for (const Quarry& quarry : quarries) {
    found += quarry.found() ? 1 : 0;
    Json json = {{"id", quarry.row->id},
                 {"name", quarry.row->name},
                 {"family", quarry.row->family},
                 {"shows", finding_kind_name(quarry.row->shows)},
                 {"found", quarry.found()}};
    if (quarry.hunted) json.update(json_of(*quarry.hunted));
    if (quarry.known) {
      json["catalogue"] = {{"tasks", quarry.known->tasks},
                           {"preemptions", quarry.known->preemptions}};
      if (quarry.is_measured()) json["within_twice"] = quarry.holds();
    }
    bugs.push_back(std::move(json));
  }
  return {{"rows", quarries.size()},
          {"found", found},
          {"seconds", seconds},
          {"bugs", std::move(bugs)}};
}

std::string text_of_machine(const MachineOptions& machine) {
  const MachineOptions usual;
  const program::MachineKey& rmap = program::machine_key("rmap");
  std::string text = fmt::format("rmap={}", rmap.print(rmap.get(machine)));
  for (const program::MachineKey& key : program::machine_keys()) {
    const std::uint64_t value = key.get(machine);
    if (&key == &rmap || value == key.get(usual)) continue;
    text += fmt::format(" {}={}", key.name, key.print(value));
  }
  return text;
}

std::string list_of_rows(std::span<const bug::Row* const> rows,
                         std::span<const MachineOptions> machines) {
  std::vector<std::vector<std::string>> lines;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bug::Row& row = *rows[i];
    lines.push_back({title_of(row), finding_kind_name(row.shows), row.family,
                     text_of_machine(machines[i]), row.origin});
  }
  return text_of_columns(lines, lines.front().size());
}

}  // namespace racier::repro
