// core/sync/maybe_guard_test.cc - a guard may throw when it lets go.
#include "core/sync/maybe_guard.h"

#include <gtest/gtest.h>

namespace racier {
namespace {

struct Over {};

// Counts who holds it; throws when it is let go of, if it was told to.
struct Guard {
  Guard(int& holders, bool throws) : holders(holders), throws(throws) { ++holders; }
  ~Guard() noexcept(false) {
    --holders;
    if (throws) throw Over{};
  }
  int& holders;
  bool throws;
};

TEST(MaybeGuard, HoldsFromEmplaceToTheEndOfTheScope) {
  int holders = 0;
  {
    MaybeGuard<Guard> guard;
    EXPECT_FALSE(guard.has_value());
    guard.emplace(holders, false);
    EXPECT_TRUE(guard.has_value());
    EXPECT_EQ(holders, 1);
    guard.reset();
    EXPECT_FALSE(guard.has_value());
    EXPECT_EQ(holders, 0);
    guard.emplace(holders, false);
  }
  EXPECT_EQ(holders, 0);
}

TEST(MaybeGuard, LetsWhatTheGuardThrowsThroughAndIsEmptyThen) {
  int holders = 0;
  const auto to_the_end = [&] {
    MaybeGuard<Guard> guard;
    guard.emplace(holders, true);
  };
  EXPECT_THROW(to_the_end(), Over);
  MaybeGuard<Guard> guard;
  guard.emplace(holders, true);
  EXPECT_THROW(guard.reset(), Over);
  EXPECT_FALSE(guard.has_value());
  EXPECT_EQ(holders, 0);
}

}  // namespace
}  // namespace racier
