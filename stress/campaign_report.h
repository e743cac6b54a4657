// stress/campaign_report.h - what a campaign has to say in the end.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "stress/campaign_options.h"
#include "stress/campaign_state.h"
#include "stress/finding_store.h"

namespace racier::stress {

struct CampaignAccount {
  const CampaignOptions& options;
  const CampaignState& state;
  const FindingStore& findings;
  std::uint64_t corpus;  // inputs
  const char* verdict;
  bool stopped;
};

std::string report_json(const CampaignAccount& account);
// Returns the summary; the last line is the verdict.
std::vector<std::string> report_lines(const CampaignAccount& account);

// Returns ", bugs: a, b, rmap: c", or "".
std::string print_arming(const Arming& arming);
// Returns "999", "12.3k", "4.5M".
std::string print_count(std::uint64_t count);
// Returns the last line that says something.
std::string last_line(std::string_view text);

}  // namespace racier::stress
