// core/mm/expand_stack_test.cc - stacks that grow, and where they end.
#include "core/mm/expand_stack.h"

#include "core/mm/schemes_for_test.h"

namespace racier {
namespace {

constexpr std::uint32_t kStack = kRw | kVmGrowsDown;

using ExpandStack = EachScheme;
INSTANTIATE_TEST_SUITE_P(Schemes, ExpandStack, testing::ValuesIn(EachScheme::names()),
                         EachScheme::name_of);

TEST_P(ExpandStack, AnAccessBelowLetsItGrow) {
  story([&](Mm& mm) {
    map(mm, 2, kStack, page_at(kBase, 6));
    write(mm, page_at(kBase, 7), 5);
    write(mm, page_at(kBase, 3) + 8, 6);
    EXPECT_EQ(drawn(mm, kBase, 8), "...AAAAA");
    EXPECT_EQ(read(mm, page_at(kBase, 7)).value, 5u);
    EXPECT_EQ(read(mm, page_at(kBase, 4)).value, 0u);
    EXPECT_EQ(found(mm, page_at(kBase, 3), kBase), "3 ");
    EXPECT_EQ(found(mm, page_at(kBase, 7), kBase), "7 ");
  });
}

TEST_P(ExpandStack, OnlyAStackGrows) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, page_at(kBase, 6));
    EXPECT_EQ(try_write(mm, page_at(kBase, 5), 5), Status::kFault);
    map(mm, 2, kStack, page_at(kBase, 9));
    EXPECT_EQ(try_write(mm, page_at(kBase, 11), 5), Status::kFault);
    EXPECT_EQ(drawn(mm, kBase, 12), "......AA.BB.");
  });
}

TEST_P(ExpandStack, KeepsAGapToWhatIsBelow) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    map(mm, 1, kStack, page_at(kBase, 6));
    EXPECT_EQ(try_write(mm, page_at(kBase, 2), 5), Status::kFault);
    EXPECT_EQ(drawn(mm, kBase, 7), "AA....B");
    write(mm, page_at(kBase, 3), 5);
    EXPECT_EQ(drawn(mm, kBase, 7), "AA.BBBB");
  });
}

TEST_P(ExpandStack, HasALargestSize) {
  story([&](Mm& mm) {
    map(mm, 1, kStack, page_at(kBase, kStackPagesMax));
    EXPECT_EQ(try_write(mm, kBase, 5), Status::kFault);
    write(mm, page_at(kBase, 1), 5);
  });
}

TEST_P(ExpandStack, WhatIsMappedLaterKeepsItsDistance) {
  story([&](Mm& mm) {
    const VirtAddr stack = map(mm, 1, kStack);
    EXPECT_EQ(map(mm, 1), stack - kStackGuardGap - kPageSize);
  });
}

TEST_P(ExpandStack, APartThatIsSplitOffIsNoDanger) {
  story([&](Mm& mm) {
    map(mm, 2, kStack, page_at(kBase, 6));
    protect(mm, page_at(kBase, 6), 1, kVmRead);
    EXPECT_EQ(try_write(mm, page_at(kBase, 5), 5), Status::kFault);
    EXPECT_EQ(drawn(mm, kBase, 8), ".....AAB");
  });
}

// Two threads use different depths at once: both are there afterwards.
TEST_P(ExpandStack, TwoThreadsGrowItAtOnce) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    boot(m, run);
    run.reset();
    Mm* mm = nullptr;
    const auto set_up = [&] {
      mm = mm_create(m);
      map(*mm, 1, kStack, page_at(kBase, 6));
    };
    ASSERT_EQ(run_alone(run, set_up), std::nullopt);
    const auto deep = [&] { write(*mm, page_at(kBase, 2), 5); };
    const auto less = [&] { write(*mm, page_at(kBase, 4), 6); };
    const auto finding = run_tasks(run, random_walk_seed(seed), {deep, less});
    ASSERT_EQ(finding ? finding->title + finding->detail : "", "") << "seed " << seed;
    EXPECT_EQ(drawn(*mm, kBase, 7), "..AAAAA");
    ASSERT_EQ(run_alone(run, [&] { mmput(m, *mm); }), std::nullopt);
  }
}

}  // namespace
}  // namespace racier
