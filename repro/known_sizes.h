// repro/known_sizes.h - how many tasks and preemptions bugs are known to need.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "repro/smallest.h"

namespace racier::repro {

// What the catalogue of bugs says of one.
struct KnownSize {
  std::string id;
  std::uint64_t tasks = 0;
  std::uint64_t preemptions = 0;
  std::string reason;  // why no program is within twice that; "": one is

  // Returns whether `sizes` has at most twice as many of both.
  bool holds(const Smallest& sizes) const {
    return sizes.tasks <= 2 * tasks && sizes.preemptions <= 2 * preemptions;
  }
  bool operator==(const KnownSize&) const = default;
};

// Reads lines "ID TASKS PREEMPTIONS[: REASON]"; those that begin with # are comments.
// Throws BadInput with file and line.
std::vector<KnownSize> read_known_sizes(const std::string& path);

// Returns that of the bug `id`; nothing: none is known.
std::optional<KnownSize> known_size_of(const std::string& id,
                                       std::span<const KnownSize> list);

}  // namespace racier::repro
