// core/mm/mmap_test.cc - where mappings go, and what they are.
#include "core/mm/mmap.h"

#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

using Mmap = MmForTest;

constexpr VirtAddr kTop = 0x7fff'ffff'0000;

TEST_F(Mmap, AnywhereIsAsHighAsThereIsRoom) {
  story([&](Mm& mm) {
    EXPECT_EQ(map(mm, 2), page_at(kTop, -2));
    EXPECT_EQ(map(mm, 3), page_at(kTop, -5));
    EXPECT_EQ(map(mm, 1), page_at(kTop, -6));
    unmap(mm, page_at(kTop, -5), 3);
    EXPECT_EQ(map(mm, 4), page_at(kTop, -10));  // the gap is too small for it
    // ... and fits this one, at its upper end.
    EXPECT_EQ(map(mm, 2), page_at(kTop, -4));
    EXPECT_EQ(map(mm, 1), page_at(kTop, -5));
  });
}

TEST_F(Mmap, AFixedMappingMayLieAboveTheTop) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, page_at(kTop, 1));
    EXPECT_EQ(map(mm, 1), page_at(kTop, -1));
    map(mm, 2, kRw, page_at(kTop, -1));  // across the top, over the one before
    EXPECT_EQ(map(mm, 1), page_at(kTop, -2));
  });
}

TEST_F(Mmap, FixedReplacesWhatWasThere) {
  story([&](Mm& mm) {
    map(mm, 6, kRw, kBase);
    write(mm, page_at(kBase, 2), 5);
    write(mm, page_at(kBase, 5), 6);
    EXPECT_EQ(map(mm, 2, kRw, page_at(kBase, 2)), page_at(kBase, 2));
    EXPECT_EQ(drawn(mm, kBase, 7), "AAAAAA.");
    EXPECT_EQ(read(mm, page_at(kBase, 2)).value, 0u);
    EXPECT_EQ(read(mm, page_at(kBase, 5)).value, 6u);
  });
}

TEST_F(Mmap, AMergeKeepsOneReferenceToTheFile) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 0, 2, 2);
    EXPECT_EQ(map_file(mm, 0, 2, 0), at - 2 * kPageSize);
    EXPECT_EQ(mm.map_count, 1);
    EXPECT_EQ(m.file(0).count.read(), 2);
  });
}

TEST_F(Mmap, RefusesWhatMakesNoSense) {
  struct Row {
    const char* what;
    MmapRequest request;
    Status status;
  };
  story([&](Mm& mm) {
    for (const Row& row : {
             Row{"no pages", {.pages = 0}, Status::kInvalid},
             Row{"not aligned", {.addr = 0x123, .pages = 1}, Status::kInvalid},
             Row{"behind the end", {.addr = kUserEnd, .pages = 1}, Status::kInvalid},
             Row{"across the end",
                 {.addr = kUserEnd - kPageSize, .pages = 2},
                 Status::kInvalid},
             Row{"more than there is", {.pages = 1ull << 36}, Status::kInvalid},
             Row{"so many that bytes wrap", {.pages = 1ull << 52}, Status::kInvalid},
             Row{"a file index that wraps",
                 {.pages = 2, .file = &m.file(0), .pgoff = ~0ull},
                 Status::kInvalid},
             Row{"more than is free",
                 {.pages = (kUserEnd >> kPageShift) - 1},
                 Status::kNoMemory},
             Row{"shared memory without bounds",
                 {.pages = kShmemPagesMax + 1, .vm_flags = kRw | kVmShared},
                 Status::kNoMemory},
         }) {
      EXPECT_EQ(do_mmap(m, mm, row.request).status(), row.status) << row.what;
    }
    EXPECT_EQ(mm.map_count, 0);
  });
}

TEST_F(Mmap, TheLastPageOfUserSpaceCanBeMapped) {
  story([&](Mm& mm) {
    const VirtAddr last = kUserEnd - kPageSize;
    EXPECT_EQ(map(mm, 1, kRw, last), last);
    write(mm, last, 9);
    EXPECT_EQ(read(mm, last).value, 9u);
  });
}

TEST_F(Mmap, AnonymousMemoryCountsPagesByAddress) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    const Vma* const vma = mm.vmas.first();
    EXPECT_EQ(vma->vm_pgoff, kBase >> kPageShift);
    EXPECT_EQ(vma->vm_file, nullptr);
    EXPECT_EQ(vma->vm_flags, kRw);
  });
}

TEST_F(Mmap, SharedAnonymousMemoryIsAFileOfItsOwn) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 4, kRw | kVmShared);
    const Vma* const vma = mm.vmas.first();
    EXPECT_TRUE(vma->vm_file->shmem);
    EXPECT_EQ(vma->vm_file->size, 4u);
    EXPECT_EQ(vma->vm_pgoff, 0u);
    EXPECT_EQ(m.shmem_cache.live_objects(), 1u);
    write(mm, at, 1);
    unmap(mm, at, 4);
    EXPECT_EQ(m.shmem_cache.live_objects(), 0u);
  });
}

TEST_F(Mmap, AMappingHoldsItsFile) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 1, 4, 3);
    EXPECT_EQ(m.file(1).count.read(), 2);
    EXPECT_EQ(mm.vmas.first()->vm_pgoff, 3u);
    EXPECT_EQ(read(mm, page_at(at, 2) + 8).value, file_word(1, 5, 1));
    unmap(mm, at, 4);
    EXPECT_EQ(m.file(1).count.read(), 1);
    // The page stays in the page cache, which is none of this mm's.
    frames_free -= 1;
  });
}

TEST_F(Mmap, FailsWithoutMemoryAndLeavesNothing) {
  for (const std::uint32_t vm_flags : {kRw, kRw | kVmShared}) {
    for (std::uint32_t nth = 1; nth <= 2; ++nth) {
      story([&](Mm& mm) {
        current()->fail_nth = nth;
        const Result<VirtAddr> at = do_mmap(m, mm, {.pages = 2, .vm_flags = vm_flags});
        const bool struck = current()->fail_nth == 0;
        current()->fail_nth = 0;
        EXPECT_EQ(struck, nth == 1 || (vm_flags & kVmShared) != 0);
        EXPECT_EQ(at.status(), struck ? Status::kNoMemory : Status::kOk);
        EXPECT_EQ(m.vma_cache.live_objects(), struck ? 0u : 1u);
      });
    }
  }
}

TEST_F(Mmap, HasALimitOfVmas) {
  story([&](Mm& mm) {
    mm.map_count = kMapCountMax;
    EXPECT_EQ(do_mmap(m, mm, {.pages = 1, .vm_flags = kRw}).status(),
              Status::kNoMemory);
    mm.map_count = 0;
  });
}

}  // namespace
}  // namespace racier
