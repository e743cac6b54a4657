// core/mm/boot_test.cc - machines that are switched on again and again.
#include "core/mm/boot.h"

#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

using Boot = MmForTest;

TEST_F(Boot, AllocatesTheZeroPageAndNothingElse) {
  EXPECT_EQ(m.frames.free_count(), m.frames.frames() - 1);
  EXPECT_EQ(m.zero_page().count.read(), 1);
  EXPECT_TRUE(m.zero_page().peek(PageFlag::kUptodate));
  EXPECT_EQ(load_user_word(m.frames.data(m.zero_page().pfn)), 0u);
}

TEST_F(Boot, ShuttingDownLeavesNothing) {
  shut_down(m);
  EXPECT_EQ(m.frames.free_count(), m.frames.frames());
}

TEST_F(Boot, AnUnknownSchemeMakesNoMachine) {
  EXPECT_EQ(make_machine({.rmap = "pte_rope"}), nullptr);
}

// A run that is over in the middle of something leaves nothing for the next one, and
// the next one is the same as if it had been the first.
TEST_F(Boot, AfterAFindingTheNextRunIsAsTheFirst) {
  std::string first;
  for (int round = 0; round < 3; ++round) {
    boot(m, run);
    std::string places;
    EXPECT_NE(tell([&] {
                Mm* const mm = mm_create(m);
                const VirtAddr at = map(*mm, 3);
                map(*mm, 2, kRw | kVmShared);
                write(*mm, at, 1);
                places = std::to_string(mm->id) + " " + std::to_string(at) + " " +
                         std::to_string(page_of(*mm, at).pfn);
                lock_page(m, page_of(*mm, at));
                const WriteGuard guard(mm->mmap_sem);
                const SpinGuard ptl(mm->page_table_lock);
                put_page(m, page_of(*mm, at));
                put_page(m, page_of(*mm, at));
              }),
              "");
    if (round == 0) first = places;
    EXPECT_EQ(places, first);
  }
  boot(m, run);
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 3);
    write(mm, at, 1);
  });
}

}  // namespace
}  // namespace racier
