// stress/harvest.h - what a job has left behind.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "stress/cell.h"
#include "stress/child.h"
#include "stress/finding_store.h"

namespace racier::stress {

struct Harvest {
  std::vector<Found> found;
  std::vector<std::filesystem::path> inputs;  // of the corpus that the job has grown
  std::uint64_t work = 0;                     // executions, or calls
};

// Reads what is in the folder of `job`, which was told `arming`, and its log.  `end`
// says how it ended; nothing: it was cut off together with its campaign, or ended by
// it.
Harvest read_harvest(const Job& job, const Places& places, const Arming& arming,
                     const std::optional<ChildEnd>& end);

// Returns what a log tells of a process that ended badly without leaving a finding.
Found crash_in_log(std::string_view log, const Cell& cell, const ChildEnd& end);

}  // namespace racier::stress
