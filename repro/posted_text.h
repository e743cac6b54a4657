// repro/posted_text.h - what came of a hunt in a patch as it was mailed: as JSON, and
// as a table.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/program/as_posted.h"
#include "repro/posted_hunt.h"

namespace racier::repro {

// One cell of the table.
struct PostedCell {
  const bug::Row* row = nullptr;
  std::size_t period = 0;        // index in the table's periods
  std::optional<Posted> posted;  // nothing: its turn did not come
  std::string death;             // how the hunter's process ended, if not in order
};

struct PostedTable {
  const program::AsPosted* patch = nullptr;
  std::vector<const bug::Row*> rows;
  std::vector<PostedPeriod> periods;
  std::vector<PostedCell> cells;  // by period, then by row

  // Returns whether each row shows in some period, and nothing with nothing armed.
  bool as_expected() const;
};

nlohmann::ordered_json json_of(const Posted& posted);
// The inverse.
Posted posted_of(const nlohmann::ordered_json& json);

// Returns a line for each period, a column for each row; then what is to be complained
// of.
std::string posted_text(const PostedTable& table);
nlohmann::ordered_json posted_json(const PostedTable& table);

}  // namespace racier::repro
