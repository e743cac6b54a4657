// repro/drop_text.h - which sites are needed: as a table, and as JSON.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "repro/drop_hunter.h"

namespace racier::repro {

// A site, and what came of leaving it out; nothing: its turn did not come.
struct SiteHunt {
  KnownSite site;
  std::optional<Dropped> dropped;

  bool caught() const { return dropped && dropped->caught(); }
};

nlohmann::ordered_json json_of(const Dropped& dropped);
// The inverse.
Dropped dropped_of(const nlohmann::ordered_json& json);

// Returns a line for each site, the detection score by kind, and those that were not
// caught; `names` are those of the programs.
std::string drop_table(std::span<const SiteHunt> hunts,
                       std::span<const std::string> names, double seconds);
nlohmann::ordered_json drop_json(std::span<const SiteHunt> hunts,
                                 std::span<const std::string> names, double seconds);

// Returns a line for each site: its name, function, what it is, how many programs.
std::string list_of_sites(std::span<const KnownSite> sites);

}  // namespace racier::repro
