// core/base/invariant.cc - looks up and reports invariants.
#include "core/base/invariant.h"

#include "core/base/require.h"

namespace racier {
namespace inv {
namespace {

constexpr Row kRows[] = {
#define RACIER_INV(id, name, kind, sentence) \
  {Inv::id, name, FindingKind::kind, sentence},
#include "core/base/invariant_rows.inc"
#undef RACIER_INV
};

}  // namespace

std::span<const Row> rows() { return kRows; }

const Row& row(Inv inv) {
  const Row& found = kRows[static_cast<int>(inv)];
  require(found.inv == inv, "rows stand in the order of the enumeration");
  return found;
}

std::optional<Inv> find(std::string_view name) {
  for (const Row& row : kRows) {
    if (name == row.name) return row.inv;
  }
  return std::nullopt;
}

}  // namespace inv

void broken(Inv inv, std::string detail, std::source_location where) {
  const inv::Row& row = inv::row(inv);
  std::string text = std::string("invariant ") + row.name;
  if (!detail.empty()) text += ": " + detail;
  report(row.kind, row.sentence, std::move(text), where);
}

}  // namespace racier
