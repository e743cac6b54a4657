// repro/posted_text.cc - see posted_text.h.  Tested by posted_hunt_test.cc.
#include "repro/posted_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "repro/hunt_text.h"

namespace racier::repro {
namespace {

using Json = nlohmann::ordered_json;

bool is_shown(const PostedCell& cell) {
  return cell.posted && cell.posted->shown.found();
}

bool is_alarm(const PostedCell& cell) {
  return cell.posted && cell.posted->unarmed.found();
}

bool shows_ever(const PostedTable& table, const bug::Row& row) {
  return std::any_of(
      table.cells.begin(), table.cells.end(),
      [&](const PostedCell& cell) { return cell.row == &row && is_shown(cell); });
}

std::string word_of(const PostedCell& cell) {
  if (is_shown(cell)) {
    return fmt::format("{} {}", cell.posted->shown.kind, cell.posted->shown.executions);
  }
  if (!cell.death.empty()) return cell.death.substr(0, cell.death.find(','));
  if (!cell.posted) return "?";
  return fmt::format("- ({})", cell.posted->shown.executions);
}

}  // namespace

bool PostedTable::as_expected() const {
  return std::all_of(rows.begin(), rows.end(),
                     [&](const bug::Row* row) { return shows_ever(*this, *row); }) &&
         std::none_of(cells.begin(), cells.end(), is_alarm);
}

Json json_of(const Posted& posted) {
  return {{"shown", json_of(posted.shown)},
          {"alone", posted.alone},
          {"unarmed", json_of(posted.unarmed)}};
}

Posted posted_of(const Json& json) {
  return {search_of(json.at("shown")), json.at("alone"), search_of(json.at("unarmed"))};
}

std::string posted_text(const PostedTable& table) {
  std::vector<std::vector<std::string>> lines(1, {"period"});
  for (const bug::Row* const row : table.rows) lines[0].push_back(row->id);
  for (std::size_t i = 0; i < table.cells.size(); ++i) {
    const PostedCell& cell = table.cells[i];
    if (i % table.rows.size() == 0) lines.push_back({table.periods[cell.period].name});
    lines.back().push_back(word_of(cell));
  }
  std::string text = fmt::format("{}: {}\n", table.patch->name, table.patch->mail);
  for (const bug::Row* const row : table.rows) {
    text += fmt::format("  {} {}: {}\n", row->id, row->name, row->sentence);
  }
  text += text_of_columns(lines, lines[0].size());
  text +=
      "(the detector, and the executions until it spoke; -: not in so many; *: alone, "
      "as with all\narmed the findings of others come first)\n";
  for (const bug::Row* const row : table.rows) {
    if (shows_ever(table, *row)) continue;
    text += fmt::format("NOT FOUND: {} {}: in no period\n", row->id, row->name);
  }
  for (const PostedCell& cell : table.cells) {
    if (!is_alarm(cell)) continue;
    text += fmt::format(
        "NOT ARMED, AND FOUND: {} {}, {}: {} ({}): a false alarm, or a bug that no row "
        "names\n",
        cell.row->id, cell.row->name, table.periods[cell.period].name,
        cell.posted->unarmed.title, cell.posted->unarmed.kind);
  }
  return text;
}

Json posted_json(const PostedTable& table) {
  Json cells = Json::array();
  for (const PostedCell& cell : table.cells) {
    Json json = {{"period", table.periods[cell.period].name},
                 {"id", cell.row->id},
                 {"name", cell.row->name}};
    if (cell.posted) json.update(json_of(*cell.posted));
    if (!cell.death.empty()) json["death"] = cell.death;
    cells.push_back(std::move(json));
  }
  return {{"patch", table.patch->name}, {"cells", std::move(cells)}};
}

}  // namespace racier::repro
