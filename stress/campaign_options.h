// stress/campaign_options.h - what racier-campaign is told.
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "stress/cell.h"

namespace racier::stress {

struct CampaignOptions {
  // Of the campaign in all, over all of its starts; 0: until it is stopped.
  std::chrono::seconds duration{120};
  std::uint64_t turns = 0;  // jobs of this start; 0: any number
  Places places;
  std::optional<std::uint64_t>
      seed;  // nothing: what the campaign began with, or a new one
  int jobs = 1;
  Arming arming;
  std::chrono::seconds slice{0};   // of a job; 0: what fits
  std::chrono::seconds grace{60};  // for a job to end, once its time is over
};

struct ParsedCampaignOptions {
  CampaignOptions options;
  std::optional<int> exit_code;
  std::string text;
};

// `cores` is the usual number of jobs.
ParsedCampaignOptions parse_campaign_options(int argc, const char* const* argv,
                                             int cores);

}  // namespace racier::stress
