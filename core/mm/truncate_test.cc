// core/mm/truncate_test.cc - files that shrink, grow, and get holes.
#include "core/mm/truncate.h"

#include "core/mm/filemap.h"
#include "core/mm/mm_for_test.h"
#include "core/mm/reclaim.h"
#include "core/mm/writeback.h"

namespace racier {
namespace {

struct Truncate : MmForTest {
  Truncate()
      : MmForTest({.frames = 128, .slab_pages = 32, .file_pages = 4}),
        file(m.file(0)) {}

  // A story in which file 0 is mapped shared and private; its pages are dropped in the
  // end.
  void file_story(FunctionRef<void(Mm&, VirtAddr, VirtAddr)> body) {
    story([&](Mm& mm) {
      const VirtAddr shared = map_file(mm, 0, 4, 0, kRw | kVmShared);
      const VirtAddr own = map_file(mm, 0, 4);
      body(mm, shared, own);
      unmap(mm, shared, 4);
      unmap(mm, own, 4);
      truncate_inode_pages(m, file);
    });
  }
  void truncate(std::uint64_t pages) {
    EXPECT_EQ(do_truncate(m, file, pages), Status::kOk);
  }
  std::uint64_t pages_cached() NO_THREAD_SAFETY_ANALYSIS { return file.nrpages; }

  AddressSpace& file;
};

TEST_F(Truncate, TakesPagesAndCopiesBehindTheEnd) {
  file_story([&](Mm& mm, VirtAddr shared, VirtAddr own) {
    for (std::uint64_t i = 0; i < 4; ++i) write(mm, page_at(shared, i), 10 + i);
    write(mm, page_at(own, 3), 20);
    EXPECT_EQ(rss(mm), "5 1");
    truncate(2);
    EXPECT_EQ(rss(mm), "2 0");
    EXPECT_EQ(pages_cached(), 2u);
    EXPECT_EQ(read(mm, page_at(shared, 1)).value, 11u);
    EXPECT_EQ(read(mm, page_at(shared, 2)).status, Status::kBusError);
    EXPECT_EQ(try_write(mm, page_at(own, 3), 1), Status::kBusError);
    EXPECT_EQ(try_write(mm, page_at(own, 1), 1), Status::kOk);
  });
}

TEST_F(Truncate, WhatIsAddedIsZeroes) {
  file_story([&](Mm& mm, VirtAddr shared, VirtAddr own) {
    write(mm, page_at(shared, 3), 13);
    write_cache_pages(m, file, 0, 4, 4, WbSync::kAll);
    truncate(1);
    truncate(4);
    EXPECT_EQ(read(mm, page_at(shared, 3)).value, 0u);
    EXPECT_EQ(read(mm, page_at(own, 2)).value, 0u) << "it was never in memory";
    EXPECT_EQ(read(mm, own).value, file_word(0, 0, 0));
    EXPECT_EQ(do_truncate(m, file, 5), Status::kInvalid);
  });
}

TEST_F(Truncate, CopiesInSwapGoToo) {
  file_story([&](Mm& mm, VirtAddr, VirtAddr own) {
    write(mm, page_at(own, 2), 20);
    for (int i = 0; i < 4; ++i) shrink_lru(m, 8);
    EXPECT_TRUE(pte(mm, page_at(own, 2)).is_swap());
    truncate(2);
    EXPECT_TRUE(pte(mm, page_at(own, 2)).none());
  });
}

TEST_F(Truncate, AHoleIsZeroesAndLeavesCopies) {
  file_story([&](Mm& mm, VirtAddr shared, VirtAddr own) {
    for (std::uint64_t i = 0; i < 4; ++i) write(mm, page_at(shared, i), 10 + i);
    write(mm, page_at(own, 1), 20);
    do_punch_hole(m, file, 1, 2);
    EXPECT_EQ(rss(mm), "3 1");
    EXPECT_EQ(read(mm, page_at(own, 1)).value, 20u);
    EXPECT_EQ(read(mm, page_at(shared, 0)).value, 10u);
    EXPECT_EQ(read(mm, page_at(shared, 1)).value, 0u);
    EXPECT_EQ(read(mm, page_at(shared, 2)).value, 0u);
    EXPECT_EQ(read(mm, page_at(shared, 3)).value, 13u);
    do_punch_hole(m, file, 7, 9);
    EXPECT_EQ(file.i_size.load(), 4u);
  });
}

TEST_F(Truncate, AFileIsWrittenAndReadWithoutAMapping) {
  file_story([&](Mm& mm, VirtAddr shared, VirtAddr) {
    EXPECT_EQ(*do_file_read(m, file, 2, 5), file_word(0, 2, 5));
    EXPECT_EQ(do_file_write(m, file, 2, 5, 77), Status::kOk);
    EXPECT_EQ(*do_file_read(m, file, 2, 5), 77u);
    EXPECT_EQ(read(mm, page_at(shared, 2) + 40).value, 77u);
    EXPECT_TRUE(page_of(mm, page_at(shared, 2)).peek(PageFlag::kDirty));
    EXPECT_FALSE(pte(mm, page_at(shared, 2)).writable());
    truncate(1);
    EXPECT_EQ(do_file_read(m, file, 2, 5).status(), Status::kNoEntry);
    EXPECT_EQ(do_file_write(m, file, 4, 0, 1), Status::kInvalid);
    EXPECT_EQ(do_file_write(m, file, 2, 0, 78), Status::kOk) << "it grows";
    EXPECT_EQ(file.i_size.load(), 3u);
    EXPECT_EQ(read(mm, page_at(shared, 1)).value, 0u);
    EXPECT_EQ(read(mm, page_at(shared, 2)).value, 78u);
  });
}

TEST_F(Truncate, WithoutMemoryNothingIsWritten) {
  file_story([&](Mm&, VirtAddr, VirtAddr) {
    truncate(1);
    current()->fail_nth = 1;
    EXPECT_EQ(do_file_write(m, file, 2, 0, 78), Status::kNoMemory);
    EXPECT_EQ(file.i_size.load(), 1u);
    current()->fail_nth = 1;
    EXPECT_EQ(do_file_read(m, file, 0, 0).status(), Status::kNoMemory);
  });
}

// Under whatever schedule nothing is mapped behind the end when truncation is done.
TEST_F(Truncate, RacesWithFaultsAndCopies) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Mm* mm = nullptr;
    VirtAddr shared = 0;
    VirtAddr own = 0;
    EXPECT_EQ(tell([&] {
                mm = mm_create(m);
                shared = map_file(*mm, 0, 4, 0, kRw | kVmShared);
                own = map_file(*mm, 0, 4);
                read(*mm, page_at(own, 3));
              }),
              "");
    run.reset();
    const auto finding = run_tasks(
        run, random_walk_seed(seed),
        {[&] { truncate(2); }, [&] { (void)try_write(*mm, page_at(own, 3), 2); },
         [&] { (void)try_write(*mm, page_at(shared, 3), 2); }});
    ASSERT_EQ(finding, std::nullopt) << finding->title;
    EXPECT_TRUE(pte(*mm, page_at(own, 3)).none()) << "seed " << seed;
    EXPECT_TRUE(pte(*mm, page_at(shared, 3)).none()) << "seed " << seed;
    EXPECT_EQ(tell([&] {
                mmput(m, *mm);
                truncate(4);
                truncate_inode_pages(m, file);
              }),
              "");
    expect_nothing_left();
  }
}

}  // namespace
}  // namespace racier
