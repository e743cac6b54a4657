// repro/hunt_text.h - what came of a hunt: as JSON, and as a table.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/bug.h"
#include "core/objects/machine.h"
#include "repro/hunter.h"
#include "repro/known_sizes.h"

namespace racier::repro {

// A row, and what came of it; nothing: its turn did not come.
struct Quarry {
  const bug::Row* row = nullptr;
  std::optional<Hunted> hunted;
  std::optional<KnownSize> known{};

  bool found() const { return hunted && hunted->found() > 0; }
  bool clean() const { return !hunted || hunted->clean(); }
  // Whether its smallest program can be held against what is known; and whether that
  // holds.
  bool is_measured() const { return known && hunted && hunted->smallest; }
  bool holds() const { return is_measured() && known->holds(*hunted->smallest); }
};

nlohmann::ordered_json json_of(const Smallest& sizes);
nlohmann::ordered_json json_of(const SearchResult& search);
nlohmann::ordered_json json_of(const Hunted& hunted);
// The inverses.
Smallest sizes_of(const nlohmann::ordered_json& json);
SearchResult search_of(const nlohmann::ordered_json& json);
Hunted hunted_of(const nlohmann::ordered_json& json);

// Returns lines whose columns are aligned, the first `left` of them to the left.
std::string text_of_columns(const std::vector<std::vector<std::string>>& lines,
                            std::size_t left);

// Returns a line for each row, then one for each that was not found or that is not
// clean with nothing armed, then a summary; `seconds` is what all took.
std::string hunt_table(std::span<const Quarry> quarries, double seconds,
                       HuntEngine engine = HuntEngine::kSchedules);
// Returns the same with all searches.
nlohmann::ordered_json hunt_json(std::span<const Quarry> quarries, double seconds);

// Returns what is chosen of a machine: "rmap=", then what is not as usual.
std::string text_of_machine(const MachineOptions& machine);

// Returns a line for each row: its id, name, kind of finding, family, the machine of
// its program (one of `machines` each) and its origin.
std::string list_of_rows(std::span<const bug::Row* const> rows,
                         std::span<const MachineOptions> machines);

}  // namespace racier::repro
