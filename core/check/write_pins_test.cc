// core/check/write_pins_test.cc - a page that is pinned to be written stays its
// owner's.
#include "core/check/write_pins.h"

#include <gtest/gtest.h>

#include "core/check/machine_for_test.h"
#include "core/mm/gup.h"
#include "core/mm/munmap.h"

namespace racier::check {
namespace {

constexpr VirtAddr kAt = 0x10000;

std::string pins_of(const WritePins& pins, Pfn pfn, std::uint32_t mm_id) {
  std::string text;
  pins.for_each(pfn, mm_id, [&](VirtAddr addr) { text += std::to_string(addr) + " "; });
  return text;
}

TEST(WritePins, LastUntilTheyAreGivenBackOrTheRangeGoes) {
  WritePins pins;
  pins.pinned(7, 1, 0x1000);
  pins.pinned(7, 1, 0x1000);
  pins.pinned(7, 2, 0x3000);
  pins.unpinned(7, 1);
  EXPECT_EQ(pins_of(pins, 7, 1), "4096 ");
  pins.unpinned(8, 1);
  pins.released(1, {0x2000, 0x4000});
  pins.released(2, {0, 0x3000});
  EXPECT_EQ(pins_of(pins, 7, 1), "4096 ");
  EXPECT_EQ(pins_of(pins, 7, 2), "12288 ");
  pins.released(1, {0x1000, 0x2000});
  EXPECT_EQ(pins_of(pins, 7, 1), "");
  pins.reset();
  EXPECT_EQ(pins_of(pins, 7, 2), "");
}

TEST(WritePins, WhatIsPinnedWhileItIsThrownAwayDoesNotLast) {
  WritePins pins;
  pins.pinned(7, 1, 0x1000);
  pins.release_begins(1, {0x1000, 0x3000});
  pins.pinned(7, 1, 0x1000);
  pins.pinned(7, 1, 0x3000);
  pins.pinned(7, 2, 0x1000);
  EXPECT_EQ(pins_of(pins, 7, 1), "12288 ");
  EXPECT_EQ(pins_of(pins, 7, 2), "4096 ");
  pins.release_ends(1, {0x1000, 0x3000});
  pins.pinned(7, 1, 0x1000);
  EXPECT_EQ(pins_of(pins, 7, 1), "12288 4096 ");
}

// Until the end who has a cached translation may see what the device stores.
TEST(WritePins, WhatIsUnmappedIsLeavingUntilTheEnd) {
  const auto leaving_of = [](const WritePins& pins, std::uint32_t mm_id) {
    std::string text;
    pins.for_each_leaving(7, mm_id,
                          [&](VirtAddr addr) { text += std::to_string(addr) + " "; });
    return text;
  };
  WritePins pins;
  pins.pinned(7, 1, 0x1000);
  pins.pinned(7, 1, 0x5000);
  pins.pinned(7, 2, 0x1000);
  pins.leave_begins(1, {0x1000, 0x3000});
  EXPECT_EQ(pins_of(pins, 7, 1), "20480 ");
  EXPECT_EQ(leaving_of(pins, 1), "4096 ");
  EXPECT_EQ(leaving_of(pins, 2), "");
  pins.release_begins(2, {0x1000, 0x2000});
  EXPECT_EQ(leaving_of(pins, 2), "4096 ");
  pins.leave_ends(1, {0x1000, 0x3000});
  EXPECT_EQ(leaving_of(pins, 1), "");
  EXPECT_EQ(leaving_of(pins, 2), "4096 ");
  pins.release_ends(2, {0x1000, 0x2000});
  EXPECT_EQ(leaving_of(pins, 2), "");
  pins.leave_begins(1, {0x5000, 0x6000});
  pins.reset();
  EXPECT_EQ(leaving_of(pins, 1), "");
}

// An address space with a page that is pinned to be written, and the name of the
// finding, if any, of a store of the device after `work`.
struct PinnedPages : testing::Test {
  std::string store_after(FunctionRef<void()> work) {
    const auto finding = run_alone(bench.run, [&] {
      mm = mm_create(bench.m);
      bench.map(*mm, kAt, 1, kVmRead | kVmWrite);
      bench.write(*mm, kAt);
      pinned = *get_user_page(bench.m, *mm, kAt, Gup::kWrite);
      work();
      store_pinned(bench.m, pinned, 0, 5);
    });
    return name_of(finding);
  }
  // What a copy that was made behind the mm's back looks like.
  void replace_page() {
    Page& fresh = *alloc_page(bench.m, Gfp::kKernel);
    const SpinGuard guard(mm->page_table_lock);
    const PteSlot slot = find_pte(bench.m.frames, mm->context, kAt);
    Vma& vma = *mm->vmas.find(kAt);
    bench.m.tracepoints->rmap_removed(*pinned.page, vma, kAt);
    slot.set(Pte::page(fresh.pfn, Pte::kPresent | Pte::kUser | Pte::kWrite));
  }

  Bench bench;
  Mm* mm = nullptr;
  PinnedPage pinned;
};

TEST_F(PinnedPages, StayWhereTheyAre) {
  EXPECT_EQ(store_after([] {}), "");
  EXPECT_EQ(store_after([&] { replace_page(); }), name_of(Inv::kPinnedPageStays));
}

TEST_F(PinnedPages, AreNobodysBusinessWhenTheyAreGivenBack) {
  EXPECT_EQ(store_after([&] {
              get_page(*pinned.page);
              put_user_page(bench.m, pinned);
              replace_page();
            }),
            "");
}

TEST_F(PinnedPages, MayGoWithTheirRange) {
  EXPECT_EQ(store_after([&] {
              EXPECT_EQ(do_munmap(bench.m, *mm, {kAt, kAt + kPageSize}), Status::kOk);
            }),
            "");
}

TEST_F(PinnedPages, MayGoToAChild) {
  EXPECT_EQ(store_after([&] {
              bench.fork(*mm);
              bench.write(*mm, kAt);
            }),
            "");
}

}  // namespace
}  // namespace racier::check
