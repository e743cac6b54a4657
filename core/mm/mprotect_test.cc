// core/mm/mprotect_test.cc - rights that change, and pages that stay.
#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

using Mprotect = MmForTest;

// Draws what the vmas allow, a letter a page, with a bar between two vmas: "ww|rr|w".
std::string rights(Mm& mm, std::uint64_t pages) {
  std::string text;
  const Vma* before = nullptr;
  for (std::uint64_t i = 0; i < pages; ++i) {
    const VirtAddr addr = page_at(kBase, i);
    const Vma* const vma = mm.vmas.find(addr);
    if (vma == nullptr || vma->vm_start > addr) {
      text += '.';
      continue;
    }
    const bool adjacent = before != nullptr && vma->vm_start == before->vm_end;
    if (adjacent && before != vma) text += '|';
    before = vma;
    text += vma->is(kVmWrite) ? 'w' : vma->is(kVmRead) ? 'r' : '-';
  }
  return text;
}

TEST_F(Mprotect, SplitsWhereRightsDiffer) {
  struct Row {
    std::uint64_t start, pages;
    std::uint32_t vm_access;
    const char* after;
  };
  for (const Row& row : {
           Row{0, 6, kRw, "wwwwww"},
           Row{0, 6, kVmRead, "rrrrrr"},
           Row{0, 2, kVmRead, "rr|wwww"},
           Row{4, 2, kVmRead, "wwww|rr"},
           Row{2, 2, kVmRead, "ww|rr|ww"},
           Row{2, 2, 0, "ww|--|ww"},
           Row{1, 1, kRw, "wwwwww"},
       }) {
    story([&](Mm& mm) {
      map(mm, 6, kRw, kBase);
      for (std::uint64_t i = 0; i < 6; ++i) write(mm, page_at(kBase, i), 10 + i);
      protect(mm, page_at(kBase, row.start), row.pages, row.vm_access);
      EXPECT_EQ(rights(mm, 6), row.after);
      for (std::uint64_t i = 0; i < 6; ++i) {
        const bool inside = row.start <= i && i < row.start + row.pages;
        const std::uint32_t vm_access = inside ? row.vm_access : kRw;
        const VirtAddr addr = page_at(kBase, i);
        EXPECT_EQ(read(mm, addr).status, vm_access != 0 ? Status::kOk : Status::kFault);
        if (vm_access != 0) EXPECT_EQ(read(mm, addr).value, 10 + i);
        EXPECT_EQ(try_write(mm, addr, 10 + i),
                  (vm_access & kVmWrite) != 0 ? Status::kOk : Status::kFault);
      }
      EXPECT_EQ(rss(mm), "6 6");
    });
  }
}

TEST_F(Mprotect, ReachesOverSeveralVmas) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    map(mm, 2, kRw, page_at(kBase, 2));
    map(mm, 2, kRw, page_at(kBase, 4));
    protect(mm, page_at(kBase, 1), 4, kVmRead);
    EXPECT_EQ(rights(mm, 6), "w|rrrr|w");
  });
}

TEST_F(Mprotect, StopsAtAHole) {
  struct Row {
    const char* what;
    std::uint64_t start, pages;
    const char* after;
  };
  for (const Row& row : {
           Row{"behind the first", 0, 6, "rr..ww"},
           Row{"in front", 2, 2, "ww..ww"},
           Row{"in front of the second", 3, 3, "ww..ww"},
           Row{"behind the last", 5, 3, "ww..w|r"},
       }) {
    story([&](Mm& mm) {
      map(mm, 2, kRw, kBase);
      map(mm, 2, kRw, page_at(kBase, 4));
      EXPECT_EQ(try_protect(mm, page_at(kBase, row.start), row.pages, kVmRead),
                Status::kNoMemory);
      EXPECT_EQ(rights(mm, 6), row.after) << row.what;
    });
  }
}

TEST_F(Mprotect, RefusesWhatMakesNoSense) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    EXPECT_EQ(do_mprotect(m, mm, {kBase, kBase}, kVmRead), Status::kInvalid);
    EXPECT_EQ(do_mprotect(m, mm, {kBase + 1, page_at(kBase, 1)}, kVmRead),
              Status::kInvalid);
    EXPECT_EQ(try_protect(mm, kBase, 1, kVmShared), Status::kInvalid);
    EXPECT_EQ(rights(mm, 2), "ww");
  });
}

TEST_F(Mprotect, KeepsAccessedAndDirty) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    write(mm, kBase, 1);
    const Pte before = pte(mm, kBase);
    EXPECT_TRUE(before.dirty() && before.young() && before.writable());
    protect(mm, kBase, 1, kVmRead);
    EXPECT_EQ(pte(mm, kBase), before.without(Pte::kWrite));
  });
}

TEST_F(Mprotect, ATranslationWithMoreRightsIsFlushed) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    write(mm, kBase, 1);
    protect(mm, kBase, 1, kVmRead);
    m.mmu->for_each_entry([](const TlbEntry& entry) { EXPECT_FALSE(entry.writable); });
    EXPECT_EQ(try_write(mm, kBase, 2), Status::kFault);
  });
}

TEST_F(Mprotect, WithoutAccessThePageIsStillThere) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    write(mm, kBase, 5);
    protect(mm, kBase, 1, 0);
    EXPECT_TRUE(pte(mm, kBase).present());
    EXPECT_EQ(pte(mm, kBase).bits() & (Pte::kPresent | Pte::kWrite), 0u);
    EXPECT_EQ(read(mm, kBase).status, Status::kFault);
    EXPECT_EQ(rss(mm), "1 1");
    protect(mm, kBase, 1, kRw);
    EXPECT_EQ(read(mm, kBase).value, 5u);
    write(mm, kBase, 6);
    EXPECT_EQ(rss(mm), "1 1");
  });
}

TEST_F(Mprotect, AWriteAfterItStillCopiesWhatIsShared) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    write(mm, kBase, 5);
    const Result<Mm*> child = dup_mm(m, mm);
    protect(mm, kBase, 1, kVmRead);
    protect(mm, kBase, 1, kRw);
    EXPECT_FALSE(pte(mm, kBase).writable());
    write(mm, kBase, 6);
    EXPECT_EQ(read(**child, kBase).value, 5u);
    mmput(m, **child);
  });
}

TEST_F(Mprotect, SharedMemoryStaysShared) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1, kRw | kVmShared);
    write(mm, at, 5);
    Page& page = page_of(mm, at);
    protect(mm, at, 1, kVmRead);
    EXPECT_EQ(try_write(mm, at, 6), Status::kFault);
    protect(mm, at, 1, kRw);
    write(mm, at, 6);
    EXPECT_EQ(&page_of(mm, at), &page);
  });
}

TEST_F(Mprotect, WithoutMemoryForASplitRightsStay) {
  story([&](Mm& mm) {
    map(mm, 3, kRw, kBase);
    for (std::uint32_t nth = 1; nth <= 2; ++nth) {
      current()->fail_nth = nth;
      EXPECT_EQ(try_protect(mm, page_at(kBase, 1), 1, kVmRead), Status::kNoMemory);
      for (std::uint64_t i = 0; i < 3; ++i) {
        write(mm, page_at(kBase, i), i);
      }
    }
  });
}

}  // namespace
}  // namespace racier
