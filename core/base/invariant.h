// core/base/invariant.h - what the simulated kernel must never break.
//
// A broken invariant is a finding: the run stops in order, with its program and
// schedule.  Every invariant is a row: programs expect one by name, reports use its
// sentence.
#pragma once
#include <cstdint>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>

#include "core/base/finding.h"

namespace racier {

enum class Inv : std::uint8_t {
#define RACIER_INV(id, name, kind, sentence) id,
#include "core/base/invariant_rows.inc"
#undef RACIER_INV
};

namespace inv {

struct Row {
  Inv inv;
  const char* name;      // snake_case, as programs expect it
  FindingKind kind;      // the kind of finding that breaking it is
  const char* sentence;  // what holds when it is not broken; the finding's title
};

std::span<const Row> rows();
const Row& row(Inv inv);
std::optional<Inv> find(std::string_view name);

}  // namespace inv

// Reports `inv` as broken.  `detail` may name the objects.
[[noreturn]] void broken(Inv inv, std::string detail = "",
                         std::source_location where = std::source_location::current());

// Reports `inv` as broken unless `holds`.  On in every build.
inline void invariant(Inv inv, bool holds,
                      std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]] broken(inv, "", where);
}

}  // namespace racier
