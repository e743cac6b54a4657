// stress/campaign_state.h - how far a campaign is; what it needs to go on.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "stress/cell.h"

namespace racier::stress {

// What a cell has had so far.
struct CellState {
  double seconds = 0;
  std::uint64_t work = 0;   // executions, or calls
  std::uint64_t turns = 0;  // jobs begun
  std::uint64_t found = 0;  // jobs that ended with something
};

struct CampaignState {
  std::string begun;  // date and time
  std::uint64_t starts = 0;
  std::uint64_t seed = 0;
  Arming arming;
  double seconds = 0;      // that it has run
  std::uint64_t jobs = 0;  // begun
  std::map<std::string, CellState> cells;
  std::map<std::uint64_t, double> running;  // seconds of the jobs that are running
  std::set<std::uint64_t>
      harvested;  // jobs whose folders are to be removed, if they exist

  std::string print() const;
  // Throws std::exception if `text` is no state.
  static CampaignState parse(const std::string& text);
};

}  // namespace racier::stress
