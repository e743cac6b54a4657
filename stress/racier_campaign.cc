// stress/racier_campaign.cc - racier-campaign: everything, for a night.
// Tested by campaign_test.sh.
#include <cstdio>
#include <thread>

#include "stress/campaign.h"
#include "stress/stop_signals.h"

int main(int argc, char** argv) {
  using namespace racier::stress;
  const unsigned cores = std::thread::hardware_concurrency();
  const auto parsed = parse_campaign_options(argc, argv, cores == 0 ? 1 : int(cores));
  if (parsed.exit_code) {
    std::fputs(parsed.text.c_str(), *parsed.exit_code == 0 ? stdout : stderr);
    return *parsed.exit_code;
  }
  catch_stop_signals();
  return Campaign(parsed.options).run();
}
