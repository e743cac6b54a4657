// stress/campaign_state_test.cc - tests of campaign_state.h.
#include "stress/campaign_state.h"

#include <gtest/gtest.h>

namespace racier::stress {
namespace {

TEST(CampaignState, SurvivesAsText) {
  CampaignState state;
  state.begun = "2026-11-20T19:44:44Z";
  state.starts = 3;
  state.seed = ~0ull;
  state.arming = {{"remove_rmap_clears_mapping"}, "anon_vma_spin"};
  state.seconds = 61.5;
  state.jobs = 12;
  state.cells["fuzz-asan"] = {30.25, 1ull << 40, 7, 2};
  state.running[12] = 1.5;
  state.harvested = {10, 11};
  const CampaignState again = CampaignState::parse(state.print());
  EXPECT_EQ(again.print(), state.print());
  EXPECT_EQ(again.arming, state.arming);
  EXPECT_EQ(again.cells.at("fuzz-asan").work, 1ull << 40);
  EXPECT_EQ(CampaignState::parse(CampaignState().print()).print(),
            CampaignState().print());
}

TEST(CampaignState, AnythingElseIsRefused) {
  for (const char* text :
       {"", "{", "[]", "{}", "{\"version\": 2}", "{\"version\": 1}"}) {
    EXPECT_ANY_THROW(CampaignState::parse(text)) << text;
  }
}

}  // namespace
}  // namespace racier::stress
