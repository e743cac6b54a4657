// stress/campaign_report.cc - the report.  Tested by campaign_report_test.cc.
#include "stress/campaign_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "stress/duration.h"
#include "stress/whole_file.h"

namespace racier::stress {
namespace {

using Json = nlohmann::ordered_json;

double rate(const CellState& cell) {
  return cell.seconds < 0.001 ? 0 : static_cast<double>(cell.work) / cell.seconds;
}

CellState state_of(const CampaignAccount& account, const Cell& cell) {
  const auto known = account.state.cells.find(cell.name);
  return known == account.state.cells.end() ? CellState() : known->second;
}

const char* unit(const Cell& cell) {
  return cell.tool == Tool::kFuzz ? "executions" : "calls";
}

// Returns the commit that is checked out in the source tree, as git's files tell it.
std::string commit() {
  const std::filesystem::path git = std::filesystem::path(RACIER_SOURCE_DIR) / ".git";
  const auto first_line = [](std::string text) {
    return text.substr(0, text.find('\n'));
  };
  const std::string head = first_line(read_whole(git / "HEAD").value_or(""));
  if (!head.starts_with("ref: ")) return head;
  return first_line(read_whole(git / head.substr(5)).value_or(""));
}

Json cell_json(const CampaignAccount& account, const Cell& cell) {
  const CellState state = state_of(account, cell);
  Json json;
  json["cell"] = cell.name;
  json["program"] = cell.tool == Tool::kFuzz ? "program_fuzz" : "racier-stress";
  json["preset"] = cell.preset;
  json["seconds"] = state.seconds;
  json[unit(cell)] = state.work;
  json["per_second"] = rate(state);
  json["jobs"] = state.turns;
  json["jobs_with_findings"] = state.found;
  return json;
}

Json finding_json(const CampaignAccount& account, const std::string& slug,
                  const StoredFinding& stored) {
  Json json;
  json["signature"] = stored.kind + " | " + stored.title;
  json["kind"] = stored.kind;
  json["title"] = stored.title;
  json["count"] = stored.count;
  json["first_seen"] = stored.first_seen;
  json["first_cell"] = stored.first_cell;
  json["cells"] = stored.cells;
  const auto folder = account.findings.folder_of(slug);
  json["folder"] = folder.string();
  const std::string how = read_whole(folder / "how-to-replay.txt").value_or("");
  json["replay"] = how.substr(0, how.find('\n'));
  json["replay_gave"] = stored.replays;
  return json;
}

}  // namespace

std::string report_json(const CampaignAccount& account) {
  const CampaignState& state = account.state;
  Json report;
  report["program"] = "racier-campaign";
  report["commit"] = commit();
  report["compiler"] = __VERSION__;
  report["begun"] = state.begun;
  report["ended"] = time_now();
  report["starts"] = state.starts;
  report["seed"] = state.seed;
  report["bugs"] = state.arming.bugs;
  report["rmap"] = state.arming.rmap;
  report["jobs_at_once"] = account.options.jobs;
  report["seconds"] = state.seconds;
  report["seconds_asked_for"] = account.options.duration.count();
  report["stopped"] = account.stopped;
  report["corpus"] = account.corpus;
  report["cells"] = Json::array();
  for (const Cell& cell : cells()) report["cells"].push_back(cell_json(account, cell));
  report["findings"] = Json::array();
  for (const auto& [slug, stored] : account.findings.findings()) {
    report["findings"].push_back(finding_json(account, slug, stored));
  }
  report["verdict"] = account.verdict;
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<std::string> report_lines(const CampaignAccount& account) {
  std::vector<std::string> lines;
  for (const Cell& cell : cells()) {
    const CellState state = state_of(account, cell);
    lines.push_back(
        fmt::format("{:<12} {:>5.0f} s  {:>10} {:<10}  {:>8}/s  {} jobs", cell.name,
                    state.seconds, print_count(state.work), unit(cell),
                    print_count(static_cast<std::uint64_t>(rate(state))), state.turns));
  }
  for (const auto& [slug, stored] : account.findings.findings()) {
    lines.push_back(
        fmt::format("!!! {} times: {} | {}", stored.count, stored.kind, stored.title));
    lines.push_back("    " + account.findings.folder_of(slug).string());
  }
  lines.push_back(fmt::format("corpus {}, findings {}; {}", account.corpus,
                              account.findings.findings().size(),
                              account.options.places.report().string()));
  const auto had = std::chrono::seconds(std::llround(account.state.seconds));
  lines.push_back(fmt::format(
      "--- End of test: {}: seed {}, after {}{}{}", account.verdict, account.state.seed,
      print_duration(had), print_arming(account.state.arming),
      account.stopped ? " (stopped: start it again to go on)" : ""));
  return lines;
}

std::string print_arming(const Arming& arming) {
  std::string text;
  for (const std::string& bug : arming.bugs) {
    text += (text.empty() ? ", bugs: " : ", ") + bug;
  }
  if (!arming.rmap.empty()) text += ", rmap: " + arming.rmap;
  return text;
}

std::string print_count(std::uint64_t count) {
  constexpr std::uint64_t kThousand = 1000;
  const auto value = static_cast<double>(count);
  if (count < kThousand) return std::to_string(count);
  if (count < kThousand * kThousand) return fmt::format("{:.1f}k", value / 1e3);
  if (count < kThousand * kThousand * kThousand) {
    return fmt::format("{:.1f}M", value / 1e6);
  }
  return fmt::format("{:.1f}G", value / 1e9);
}

std::string last_line(std::string_view text) {
  while (!text.empty()) {
    if (text.back() == '\n' || text.back() == ' ') {
      text.remove_suffix(1);
      continue;
    }
    const std::size_t start = text.rfind('\n') + 1;
    return std::string(text.substr(start));
  }
  return "";
}

}  // namespace racier::stress
