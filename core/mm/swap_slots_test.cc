// core/mm/swap_slots_test.cc - which slot comes next, and how its references count.
#include "core/mm/swap_slots.h"

#include "core/mm/mm_for_test.h"
#include "core/mm/swapon.h"

namespace racier {
namespace {

struct SwapSlots : MmForTest {
  explicit SwapSlots(std::uint32_t bad = 0, std::uint32_t limit = kSwapMapMax)
      : MmForTest({.frames = 64,
                   .slab_pages = 32,
                   .swap_slots = 4,
                   .swap_areas = 3,
                   .swap_map_max = limit,
                   .swap_bad = bad}) {}

  // The next slots, as many as there are: "0:1 0:2".
  std::string take(int most = 100) {
    std::string text;
    for (; most > 0; --most) {
      const SwapEntry entry = get_swap_page(m);
      if (!entry) break;
      text += (text.empty() ? "" : " ") + std::to_string(entry.type()) + ":" +
              std::to_string(entry.offset());
    }
    return text;
  }
  void on(std::uint32_t type, int priority) {
    EXPECT_EQ(do_swapon(m, type, priority), Status::kOk);
  }
  void expect_fine(Body body) { EXPECT_EQ(tell(body), ""); }
};

TEST_F(SwapSlots, TheBestAreaComesFirstAndAFullOneIsPassedOver) {
  expect_fine([&] {
    on(1, 5);
    EXPECT_EQ(take(), "1:1 1:2 1:3 0:1 0:2 0:3");
    swap_free(m, SwapEntry::of(0, 2));
    swap_free(m, SwapEntry::of(1, 3));
    EXPECT_EQ(take(), "1:3 0:2") << "the best one has a slot again";
  });
}

TEST_F(SwapSlots, AreasOfOnePriorityTakeTurns) {
  expect_fine([&] {
    on(1, 0);
    on(2, 0);
    EXPECT_EQ(take(4), "0:1 1:1 2:1 0:2");
  });
}

TEST_F(SwapSlots, AnAreaThatIsOffHasNone) {
  expect_fine([&] {
    EXPECT_EQ(do_swapoff(m, 0), Status::kOk);
    EXPECT_EQ(take(), "");
    EXPECT_EQ(swap_duplicate(m, {1}), Status::kNoEntry);
    EXPECT_EQ(swap_count(m, {1}), 0);
    EXPECT_EQ(swap_count_unlocked(m, {1}), 0);
    EXPECT_EQ(swap_count(m, SwapEntry::of(7, 1)), 0) << "nor one that does not exist";
  });
}

struct BadSlots : SwapSlots {
  BadSlots() : SwapSlots(2) {}
};

TEST_F(BadSlots, AreNotHandedOutAndCannotBeShared) {
  expect_fine([&] {
    EXPECT_EQ(take(), "0:1 0:3");
    EXPECT_EQ(swap_count(m, {2}), kSwapMapBad);
    EXPECT_EQ(swap_duplicate(m, {2}), Status::kNoEntry);
  });
}

struct SmallCounts : SwapSlots {
  SmallCounts() : SwapSlots(0, 4) {}
};

TEST_F(SmallCounts, AreStuckAtTheLimit) {
  expect_fine([&] {
    const SwapEntry entry = get_swap_page(m);
    for (const std::uint16_t count : {2, 3, 4, 4}) {
      EXPECT_EQ(swap_duplicate(m, entry), Status::kOk);
      EXPECT_EQ(swap_count(m, entry), count);
    }
    EXPECT_TRUE(swap_count_is_stuck(m, 4));
    EXPECT_EQ(swap_free(m, entry), 4);
    EXPECT_EQ(take(), "0:2 0:3") << "the slot is not free";
  });
}

}  // namespace
}  // namespace racier
