// repro/drop_text.cc - see drop_text.h.  Tested by drop_text_test.cc.
#include "repro/drop_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "repro/hunt_text.h"

namespace racier::repro {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> cells_of(const SiteHunt& hunt,
                                  std::span<const std::string> names) {
  std::vector<std::string> cells = {site_text(hunt.site.name), hunt.site.function,
                                    hunt.site.what, "NOT CAUGHT"};
  cells.resize(9, "-");
  if (!hunt.caught()) {
    if (!hunt.not_needed.empty()) cells[3] = "not needed";
    return cells;
  }
  const Dropped& dropped = *hunt.dropped;
  const bool ended = dropped.end != SearchEnd::kFound;
  cells[3] = ended ? "the process ended" : dropped.kind;
  if (!ended) cells[4] = names[dropped.program] + (dropped.changed ? ", changed" : "");
  cells[5] = fmt::format("{}", dropped.executions);
  if (!dropped.smallest) return cells;
  cells[6] = fmt::format("{}", dropped.smallest->sizes.tasks);
  cells[7] = fmt::format("{}", dropped.smallest->sizes.calls);
  cells[8] = fmt::format("{}", dropped.smallest->sizes.preemptions);
  return cells;
}

// Caught of all, as words.
std::string share(std::size_t caught, std::size_t all) {
  return fmt::format(
      "{} of {} ({:.0f} %)", caught, all,
      all == 0 ? 0 : 100.0 * static_cast<double>(caught) / static_cast<double>(all));
}

struct Score {
  std::size_t caught = 0, all = 0;
};

template <typename Counts>
Score score_of(std::span<const SiteHunt> hunts, Counts counts) {
  Score score;
  for (const SiteHunt& hunt : hunts) {
    if (!counts(hunt) || (!hunt.caught() && !hunt.not_needed.empty())) continue;
    ++score.all;
    score.caught += hunt.caught() ? 1 : 0;
  }
  return score;
}

std::string complaint_of(const SiteHunt& hunt) {
  if (!hunt.dropped) return "its turn did not come";
  const Dropped& dropped = *hunt.dropped;
  std::string text = fmt::format(
      "nothing in {} executions of {} programs and {} that were made of them, {:.1f} s",
      dropped.executions, dropped.programs, dropped.mutants, dropped.seconds);
  if (hunt.site.tasks == 0) text += "; only set-up and teardown come by";
  if (dropped.end == SearchEnd::kExhausted) text += "; there is no other schedule";
  if (dropped.end == SearchEnd::kStopped) text += ", then it was stopped";
  return text;
}

}  // namespace

Json json_of(const Dropped& dropped) {
  Json json = {{"executions", dropped.executions},
               {"programs", dropped.programs},
               {"mutants", dropped.mutants},
               {"seconds", dropped.seconds},
               {"end", search_end_name(dropped.end)}};
  if (dropped.end == SearchEnd::kFound) {
    json["program"] = dropped.program;
    json["changed"] = dropped.changed;
    json["kind"] = dropped.kind;
    json["title"] = dropped.title;
  }
  if (dropped.smallest) {
    json["smallest"] = json_of(dropped.smallest->sizes);
    json["smallest"]["text"] = dropped.smallest->text;
  }
  if (!dropped.death.empty()) json["death"] = dropped.death;
  if (!dropped.anyway.empty()) {
    json["anyway"] = dropped.anyway;
    json["anyway_program"] = dropped.anyway_program;
  }
  return json;
}

Dropped dropped_of(const Json& json) {
  Dropped dropped;
  dropped.executions = json.at("executions");
  dropped.programs = json.at("programs");
  dropped.mutants = json.at("mutants");
  dropped.seconds = json.at("seconds");
  dropped.end = search_end_named(json.at("end").get<std::string>());
  dropped.program = json.value("program", std::size_t{0});
  dropped.changed = json.value("changed", false);
  dropped.kind = json.value("kind", "");
  dropped.title = json.value("title", "");
  if (json.contains("smallest")) {
    const Json& smallest = json.at("smallest");
    dropped.smallest = {sizes_of(smallest), smallest.at("text")};
  }
  dropped.death = json.value("death", "");
  dropped.anyway = json.value("anyway", "");
  dropped.anyway_program = json.value("anyway_program", "");
  return dropped;
}

Json json_of(const KnownSite& site) {
  return {{"kind", site.name.kind}, {"file", site.name.file},
          {"line", site.name.line}, {"function", site.function},
          {"what", site.what},      {"by", site.by},
          {"tasks", site.tasks}};
}

KnownSite known_site_of(const Json& json) {
  return {{json.at("kind"), json.at("file"), json.at("line")},
          json.at("function"),
          json.at("what"),
          json.at("by"),
          json.at("tasks")};
}

std::string drop_table(std::span<const SiteHunt> hunts,
                       std::span<const std::string> names, double seconds) {
  std::vector<std::vector<std::string>> lines = {{"without", "in", "what", "caught by",
                                                  "program", "executions", "tasks",
                                                  "calls", "preemptions"}};
  for (const SiteHunt& hunt : hunts) lines.push_back(cells_of(hunt, names));
  std::string text = text_of_columns(lines, 5);
  for (const SiteHunt& hunt : hunts) {
    if (hunt.dropped && !hunt.dropped->anyway.empty()) {
      text += fmt::format(
          "NOTHING LEFT OUT, AND FOUND: on the way to {}: {}: a false alarm, or a bug "
          "that no row names:\n{}",
          site_text(hunt.site.name), hunt.dropped->anyway,
          hunt.dropped->anyway_program);
    }
    if (hunt.caught()) continue;
    if (!hunt.not_needed.empty()) {
      text += fmt::format("not needed: {} ({}): {}\n", site_text(hunt.site.name),
                          hunt.site.function, hunt.not_needed);
      continue;
    }
    text += fmt::format("NOT CAUGHT: {}: {}\n", site_text(hunt.site.name),
                        complaint_of(hunt));
  }
  for (int i = 0; i < kSiteKinds; ++i) {
    const auto kind = static_cast<SiteKind>(i);
    const Score score = score_of(
        hunts, [&](const SiteHunt& hunt) { return hunt.site.name.kind == kind; });
    if (score.all == 0) continue;
    text += fmt::format("{}: {} caught\n", site_kind_name(kind),
                        share(score.caught, score.all));
  }
  const Score all = score_of(hunts, [](const SiteHunt&) { return true; });
  return text +
         fmt::format("detection score: {} caught; {} not needed; {:.1f} s in all\n",
                     share(all.caught, all.all), hunts.size() - all.all, seconds);
}

Json drop_json(std::span<const SiteHunt> hunts, std::span<const std::string> names,
               double seconds) {
  Json sites = Json::array();
  for (const SiteHunt& hunt : hunts) {
    Json json = {{"kind", site_kind_name(hunt.site.name.kind)},
                 {"file", hunt.site.name.file},
                 {"line", hunt.site.name.line},
                 {"function", hunt.site.function},
                 {"what", hunt.site.what},
                 {"caught", hunt.caught()}};
    if (!hunt.caught() && !hunt.not_needed.empty()) {
      json["not_needed"] = hunt.not_needed;
    }
    if (hunt.dropped) {
      json["hunt"] = json_of(*hunt.dropped);
      if (hunt.dropped->end == SearchEnd::kFound) {
        json["hunt"]["program"] = names[hunt.dropped->program];
      }
    }
    sites.push_back(std::move(json));
  }
  const Score all = score_of(hunts, [](const SiteHunt&) { return true; });
  return {{"sites", hunts.size()},
          {"caught", all.caught},
          {"not_needed", hunts.size() - all.all},
          {"seconds", seconds},
          {"hunts", std::move(sites)}};
}

std::string list_of_sites(std::span<const KnownSite> sites) {
  std::vector<std::vector<std::string>> lines;
  for (const KnownSite& site : sites) {
    lines.push_back({site_text(site.name), site.function, site.what,
                     fmt::format("{} programs", site.by.size())});
  }
  return text_of_columns(lines, lines.front().size());
}

}  // namespace racier::repro
