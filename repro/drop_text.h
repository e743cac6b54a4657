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
  std::string not_needed;  // why somebody has said so; "": nobody has

  bool caught() const { return dropped && dropped->caught(); }
  // It is caught, or not needed.  (Of two looks in one function one may be needed.)
  bool as_expected() const {
    const bool clean = !dropped || dropped->anyway.empty();
    return clean && (caught() || !not_needed.empty());
  }
};

nlohmann::ordered_json json_of(const Dropped& dropped);
// The inverse.
Dropped dropped_of(const nlohmann::ordered_json& json);

nlohmann::ordered_json json_of(const KnownSite& site);
// The inverse.
KnownSite known_site_of(const nlohmann::ordered_json& json);

// Returns a line for each site, those that were not caught, and the detection score, by
// kind: of those that somebody may need; `names` are those of the programs.
std::string drop_table(std::span<const SiteHunt> hunts,
                       std::span<const std::string> names, double seconds);
nlohmann::ordered_json drop_json(std::span<const SiteHunt> hunts,
                                 std::span<const std::string> names, double seconds);

// Returns a line for each site: its name, function, what it is, how many programs.
std::string list_of_sites(std::span<const KnownSite> sites);

}  // namespace racier::repro
