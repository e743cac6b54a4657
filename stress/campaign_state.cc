// stress/campaign_state.cc - the state as JSON.  Tested by campaign_state_test.cc.
#include "stress/campaign_state.h"

#include <nlohmann/json.hpp>

namespace racier::stress {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

}  // namespace

std::string CampaignState::print() const {
  Json json;
  json["version"] = kVersion;
  json["begun"] = begun;
  json["starts"] = starts;
  json["seed"] = seed;
  json["bugs"] = arming.bugs;
  json["rmap"] = arming.rmap;
  json["seconds"] = seconds;
  json["jobs"] = jobs;
  json["cells"] = Json::object();
  for (const auto& [name, cell] : cells) {
    json["cells"][name] = {{"seconds", cell.seconds},
                           {"work", cell.work},
                           {"turns", cell.turns},
                           {"found", cell.found}};
  }
  json["running"] = running;
  json["harvested"] = harvested;
  return json.dump(2) + "\n";
}

CampaignState CampaignState::parse(const std::string& text) {
  const Json json = Json::parse(text);
  if (json.at("version") != kVersion) throw std::runtime_error("of another version");
  CampaignState state;
  state.begun = json.at("begun");
  state.starts = json.at("starts");
  state.seed = json.at("seed");
  state.arming.bugs = json.at("bugs").get<std::vector<std::string>>();
  state.arming.rmap = json.at("rmap");
  state.seconds = json.at("seconds");
  state.jobs = json.at("jobs");
  for (const auto& [name, cell] : json.at("cells").items()) {
    state.cells[name] = {cell.at("seconds"), cell.at("work"), cell.at("turns"),
                         cell.at("found")};
  }
  state.running = json.at("running").get<std::map<std::uint64_t, double>>();
  state.harvested = json.at("harvested").get<std::set<std::uint64_t>>();
  return state;
}

}  // namespace racier::stress
