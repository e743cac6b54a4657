// core/mm/swapon_test.cc - swap areas come into use, and go.
#include "core/mm/swapon.h"

#include "core/mm/mm_for_test.h"
#include "core/mm/swap_slots.h"

namespace racier {
namespace {

struct Swapon : MmForTest {
  explicit Swapon(std::uint32_t slots = 600)
      : MmForTest(
            {.frames = 64, .slab_pages = 32, .swap_slots = slots, .swap_areas = 2}) {}
  std::uint32_t parts() { return m.swap_map_cache.live_objects(); }
};

TEST_F(Swapon, TheFirstAreaIsOnFromTheStart) {
  EXPECT_EQ(tell([&] {
              EXPECT_EQ(parts(), 3u) << "256 counts each";
              EXPECT_EQ(do_swapon(m, 0, 0), Status::kBusy);
              EXPECT_EQ(do_swapoff(m, 1), Status::kInvalid);
              EXPECT_EQ(do_swapon(m, 1, 0), Status::kOk);
              EXPECT_EQ(parts(), 6u);
              EXPECT_EQ(do_swapoff(m, 0), Status::kOk);
              EXPECT_EQ(do_swapoff(m, 0), Status::kInvalid);
              EXPECT_EQ(parts(), 3u);
              EXPECT_EQ(get_swap_page(m), SwapEntry::of(1, 1));
              EXPECT_EQ(do_swapon(m, 2, 0), Status::kInvalid);
              EXPECT_EQ(do_swapoff(m, 2), Status::kInvalid);
              EXPECT_EQ(signal_swapoff(m, 1), Status::kNoProcess);
              EXPECT_EQ(signal_swapoff(m, 9), Status::kNoProcess);
            }),
            "");
}

TEST_F(Swapon, WithoutMemoryForTheMapTheAreaStaysOff) {
  EXPECT_EQ(tell([&] {
              current()->fail_nth = 2;
              EXPECT_EQ(do_swapon(m, 1, 0), Status::kNoMemory);
              EXPECT_EQ(parts(), 3u) << "what it had is given back";
              EXPECT_EQ(do_swapon(m, 1, 0), Status::kOk);
            }),
            "");
}

TEST_F(Swapon, AMapThatDoesNotFitIsNoSwap) {
  const auto large =
      make_machine({.frames = 64, .slab_pages = 16, .swap_slots = 65536});
  boot(*large, run);
  EXPECT_EQ(large->swap.info[0]->flags.load(), 0u);
  EXPECT_EQ(large->swap_map_cache.live_objects(), 0u);
}

struct NoSlots : Swapon {
  NoSlots() : Swapon(1) {}
};

TEST_F(NoSlots, AreNoSwap) {
  EXPECT_EQ(do_swapon(m, 0, 0), Status::kInvalid);
  EXPECT_EQ(do_swapon(m, 1, 0), Status::kInvalid);
}

}  // namespace
}  // namespace racier
