// core/mm/writeback_test.cc - pages that become dirty, and clean.
#include "core/mm/writeback.h"

#include "core/mm/filemap.h"
#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

struct Writeback : MmForTest {
  // A story in which file 0 is mapped shared; its pages are dropped in the end.
  void shared_story(FunctionRef<void(Mm&, VirtAddr)> body) {
    story([&](Mm& mm) {
      const VirtAddr at = map_file(mm, 0, 4, 0, kRw | kVmShared);
      body(mm, at);
      unmap(mm, at, 4);
      truncate_inode_pages(m, m.file(0));
    });
  }
  std::uint64_t write_all(WbSync sync = WbSync::kAll) {
    return write_cache_pages(m, m.file(0), 0, m.file(0).size, ~0ull, sync);
  }
  std::uint64_t stored(std::uint64_t index) { return m.file(0).stored_word(index, 0); }
  bool dirty(Mm& mm, VirtAddr at) { return page_of(mm, at).peek(PageFlag::kDirty); }
};

TEST_F(Writeback, TheFirstStoreIsNoticed) {
  shared_story([&](Mm& mm, VirtAddr at) {
    read(mm, at);
    EXPECT_FALSE(pte(mm, at).writable());
    EXPECT_FALSE(dirty(mm, at));
    write(mm, at, 5);
    EXPECT_TRUE(pte(mm, at).writable() && pte(mm, at).dirty());
    EXPECT_TRUE(dirty(mm, at));
    EXPECT_EQ(stored(0), file_word(0, 0, 0)) << "not written yet";
  });
}

TEST_F(Writeback, AWriteFaultMapsADirtyPage) {
  shared_story([&](Mm& mm, VirtAddr at) {
    write(mm, at, 5);
    EXPECT_TRUE(pte(mm, at).writable() && dirty(mm, at));
    EXPECT_EQ(rss(mm), "1 0");
  });
}

TEST_F(Writeback, WhatIsWrittenIsCleanAndReadOnly) {
  shared_story([&](Mm& mm, VirtAddr at) {
    write(mm, at, 5);
    Mm* const child = *dup_mm(m, mm);
    EXPECT_TRUE(pte(*child, at).writable());
    EXPECT_EQ(write_all(), 1u);
    EXPECT_EQ(stored(0), 5u);
    EXPECT_FALSE(dirty(mm, at));
    for (Mm* const each : {&mm, child}) {
      EXPECT_FALSE(pte(*each, at).writable() || pte(*each, at).dirty());
    }
    m.mmu->for_each_entry([](const TlbEntry& entry) { EXPECT_FALSE(entry.writable); });
    EXPECT_EQ(write_all(), 0u);
    write(*child, at, 6);
    EXPECT_TRUE(dirty(mm, at));
    EXPECT_EQ(read(mm, at).value, 6u);
    mmput(m, *child);
  });
}

TEST_F(Writeback, APrivateMappingIsLeftAlone) {
  shared_story([&](Mm& mm, VirtAddr at) {
    const VirtAddr own = map_file(mm, 0, 1);
    write(mm, own, 7);
    EXPECT_EQ(write_all(), 0u);
    EXPECT_TRUE(pte(mm, own).writable());
    EXPECT_EQ(read(mm, at).value, file_word(0, 0, 0));
  });
}

TEST_F(Writeback, SharedMemoryIsNotWritten) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1, kRw | kVmShared);
    read(mm, at);
    EXPECT_TRUE(pte(mm, at).writable()) << "nobody wants to notice";
    EXPECT_FALSE(vma_wants_writenotify(*mm.vmas.find(at)));
  });
}

TEST_F(Writeback, WritesAsManyAsItIsToldOfItsRange) {
  shared_story([&](Mm& mm, VirtAddr at) {
    for (std::uint64_t i = 0; i < 4; ++i) write(mm, page_at(at, i), 10 + i);
    EXPECT_EQ(write_cache_pages(m, m.file(0), 1, 4, 2, WbSync::kAll), 2u);
    EXPECT_EQ(stored(0), file_word(0, 0, 0));
    EXPECT_EQ(stored(1), 11u);
    EXPECT_EQ(stored(2), 12u);
    EXPECT_EQ(stored(3), file_word(0, 3, 0));
    EXPECT_EQ(write_all(), 2u);
  });
}

TEST_F(Writeback, WithoutWaitingALockedPageIsPassedBy) {
  shared_story([&](Mm& mm, VirtAddr at) {
    write(mm, at, 5);
    write(mm, page_at(at, 1), 6);
    Page& page = page_of(mm, at);
    lock_page(m, page);
    EXPECT_EQ(write_all(WbSync::kNone), 1u);
    unlock_page(m, page);
    EXPECT_EQ(write_all(WbSync::kNone), 1u);
  });
}

TEST_F(Writeback, ReadAgainItIsWhatWasWritten) {
  shared_story([&](Mm& mm, VirtAddr at) {
    write(mm, at, 5);
    write_all();
    unmap(mm, at, 1);
    truncate_inode_pages(m, m.file(0));
    EXPECT_EQ(m.file(0).stored_word(0, 1), file_word(0, 0, 1));
    const VirtAddr again = map_file(mm, 0, 1);
    EXPECT_EQ(read(mm, again).value, 5u);
    EXPECT_EQ(read(mm, again + 8).value, file_word(0, 0, 1));
    unmap(mm, again, 1);
  });
}

TEST_F(Writeback, MsyncWritesWhatIsMappedShared) {
  shared_story([&](Mm& mm, VirtAddr at) {
    for (std::uint64_t i = 0; i < 4; ++i) write(mm, page_at(at, i), 10 + i);
    EXPECT_EQ(do_msync(m, mm, {page_at(at, 1), page_at(at, 3)}, WbSync::kAll),
              Status::kOk);
    EXPECT_EQ(stored(0), file_word(0, 0, 0));
    EXPECT_EQ(stored(1), 11u);
    EXPECT_EQ(stored(2), 12u);
    EXPECT_EQ(m.file(0).count.read(), 2) << "its own, and the vma's";
    unmap(mm, page_at(at, 1), 1);
    EXPECT_EQ(do_msync(m, mm, {at, page_at(at, 4)}, WbSync::kNone), Status::kNoMemory);
    EXPECT_EQ(stored(3), 13u) << "behind the hole";
    EXPECT_EQ(do_msync(m, mm, {at, at}, WbSync::kAll), Status::kInvalid);
    EXPECT_EQ(do_msync(m, mm, {at + 1, page_at(at, 1)}, WbSync::kAll),
              Status::kInvalid);
  });
}

// Under whatever schedule: a page that can be written is dirty, and one that is clean
// has been written.
TEST_F(Writeback, RacesWithStores) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Mm* mm = nullptr;
    VirtAddr at = 0;
    EXPECT_EQ(tell([&] {
                mm = mm_create(m);
                at = map_file(*mm, 0, 4, 0, kRw | kVmShared);
                write(*mm, at, 1);
              }),
              "");
    run.reset();
    const auto finding = run_tasks(run, random_walk_seed(seed),
                                   {[&] { write_all(); }, [&] { write(*mm, at, 2); },
                                    [&] { write_all(WbSync::kNone); }});
    ASSERT_EQ(finding, std::nullopt) << finding->title;
    EXPECT_TRUE(dirty(*mm, at) || !pte(*mm, at).writable()) << "seed " << seed;
    EXPECT_TRUE(dirty(*mm, at) || stored(0) == 2) << "seed " << seed;
    EXPECT_EQ(tell([&] {
                mmput(m, *mm);
                truncate_inode_pages(m, m.file(0));
              }),
              "");
    expect_nothing_left();
  }
}

}  // namespace
}  // namespace racier
