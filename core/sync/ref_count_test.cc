// core/sync/ref_count_test.cc - references that are counted, and four that must not be.
#include "core/sync/ref_count.h"

#include <limits>
#include <memory>

#include "core/sync/worlds_test.h"

namespace racier {
namespace {

class RefCountTest : public InEveryWorld {};
INSTANTIATE_TEST_SUITE_P(Worlds, RefCountTest, testing::ValuesIn(kWorlds), world_name);

TEST_P(RefCountTest, TheLastDropSeesWhatAllOthersDid) {
  repeat([&] {
    RefCount count(3);
    int values[3] = {};
    int last_drops = 0;
    const auto drops = [&](int task) {
      return [&, task] {
        count.inc();
        values[task] = 1;
        EXPECT_FALSE(count.dec_and_test());
        if (!count.dec_and_test()) return;
        ++last_drops;
        EXPECT_EQ(values[0] + values[1] + values[2], 3);
      };
    };
    EXPECT_EQ(run({drops(0), drops(1), drops(2)}), "");
    EXPECT_EQ(last_drops, 1);
  });
}

TEST_P(RefCountTest, NobodyRevivesWhatIsGone) {
  repeat([&] {
    RefCount count(1);
    int last_drops = 0;
    const auto drops = [&] {
      if (count.dec_and_test()) ++last_drops;
    };
    const auto tries = [&] {
      if (count.inc_not_zero_acquire()) drops();
      if (count.inc_not_zero()) drops();
    };
    EXPECT_EQ(run({drops, tries}), "");
    EXPECT_EQ(count.read(), 0);
    EXPECT_EQ(last_drops, 1);
  });
}

TEST_P(RefCountTest, FromZeroIsAFinding) {
  RefCount count(0);
  EXPECT_EQ(run({[&] { count.inc(); }}),
            "refcount_t: addition on 0; use-after-free in TestBody");
  EXPECT_EQ(kind(), FindingKind::kRefcount);
}

TEST_P(RefCountTest, BelowZeroIsAFinding) {
  RefCount count(0);
  EXPECT_EQ(run({[&] { static_cast<void>(count.dec_and_test()); }}),
            "refcount_t: underflow; use-after-free in TestBody");
}

TEST_P(RefCountTest, OverflowIsAFinding) {
  RefCount count(std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(run({[&] { count.inc(); }}),
            "refcount_t: saturated; leaking memory in TestBody");
  count.set(std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(run({[&] { static_cast<void>(count.inc_not_zero()); }}),
            "refcount_t: saturated; leaking memory in TestBody");
}

TEST_P(RefCountTest, WhoUnwindsMayDropWhatIsGone) {
  RefCount count(0);
  struct Drops {
    RefCount& count;
    ~Drops() { static_cast<void>(count.dec_and_test()); }
  };
  const auto body = [&] {
    const Drops drops{count};
    report(FindingKind::kInvariant, "enough");
  };
  EXPECT_EQ(run({body}), "enough");
}

}  // namespace
}  // namespace racier
