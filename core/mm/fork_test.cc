// core/mm/fork_test.cc - children that share, and what exits leave behind.
#include "core/mm/fork.h"

#include "core/base/mark.h"
#include "core/mm/mm_for_test.h"
#include "core/mm/reclaim.h"
#include "core/mm/swap.h"

namespace racier {
namespace {

struct Fork : MmForTest {
  // "count mapcount" of the page at `addr`.
  std::string counts(Mm& mm, VirtAddr addr) {
    const Page& page = page_of(mm, addr);
    return std::to_string(page.count.read()) + " " +
           std::to_string(page.mapcount.raw() + 1);
  }
  Mm& fork(Mm& parent) {
    const Result<Mm*> child = dup_mm(m, parent);
    EXPECT_TRUE(child.ok());
    return **child;
  }
  // Turns the pte at `addr` and all others of its page into swap entries.
  void swap_out(Mm& mm, VirtAddr addr) {
    Page& page = page_of(mm, addr);
    get_page(page);
    lock_page(m, page);
    EXPECT_TRUE(add_to_swap(m, page));
    page_referenced(m, page);  // nobody has used it lately
    EXPECT_EQ(try_to_unmap(m, page), Unmap::kSuccess);
    unlock_page(m, page);
    put_page(m, page);
    EXPECT_TRUE(pte(mm, addr).is_swap());
  }
};

TEST_F(Fork, AnAddressSpaceIsBornEmpty) {
  story([&](Mm& mm) {
    EXPECT_EQ(mm.id, 1u);
    EXPECT_EQ(mm.context.asid, mm.id);
    EXPECT_EQ(mm.parent_id, 0u);
    EXPECT_EQ(mm.mm_users.read(), 1);
    EXPECT_EQ(mm.mm_count.read(), 1);
    EXPECT_EQ(tables(mm), 1);
    EXPECT_EQ(mm.map_count, 0);
  });
}

TEST_F(Fork, SharesPagesUntilSomebodyWrites) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2);
    write(mm, at, 5);
    write(mm, page_at(at, 1), 6);
    EXPECT_EQ(counts(mm, at), "1 1");
    Mm& child = fork(mm);
    EXPECT_EQ(child.parent_id, mm.id);
    EXPECT_EQ(&page_of(child, at), &page_of(mm, at));
    EXPECT_EQ(counts(mm, at), "2 2");
    EXPECT_FALSE(pte(mm, at).writable());
    EXPECT_FALSE(pte(child, at).writable());
    EXPECT_FALSE(pte(child, at).young());
    EXPECT_EQ(rss(child), "2 2");

    write(child, at, 7);
    EXPECT_EQ(read(mm, at).value, 5u);
    EXPECT_EQ(read(child, at).value, 7u);
    EXPECT_EQ(counts(mm, at), "1 1");
    EXPECT_EQ(counts(child, at), "1 1");
    EXPECT_EQ(rss(mm), "2 2");
    EXPECT_EQ(rss(child), "2 2");

    mmput(m, child);
    EXPECT_EQ(counts(mm, page_at(at, 1)), "1 1");
    write(mm, page_at(at, 1), 8);
    EXPECT_EQ(read(mm, page_at(at, 1)).value, 8u);
  });
}

TEST_F(Fork, GrandchildrenShareToo) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Mm& child = fork(mm);
    Mm& grandchild = fork(child);
    EXPECT_EQ(counts(mm, at), "3 3");
    mmput(m, child);
    EXPECT_EQ(counts(mm, at), "2 2");
    EXPECT_EQ(read(grandchild, at).value, 5u);
    mmput(m, grandchild);
    EXPECT_EQ(counts(mm, at), "1 1");
  });
}

TEST_F(Fork, CopiesTheMap) {
  story([&](Mm& mm) {
    const VirtAddr base = 0x1'0000'0000;
    map(mm, 2, kRw, base);
    map(mm, 3, kVmRead, page_at(base, 3));
    map(mm, 1, kRw | kVmShared, page_at(base, 6));
    do_brk(m, mm, page_at(mm.start_brk, 1));
    Mm& child = fork(mm);
    EXPECT_EQ(drawn(child, base, 7), drawn(mm, base, 7));
    EXPECT_EQ(child.brk, mm.brk);
    EXPECT_EQ(child.vmas.last()->vm_file, mm.vmas.last()->vm_file);
    EXPECT_EQ(try_write(child, page_at(base, 3), 1), Status::kFault);
    mmput(m, child);
  });
}

TEST_F(Fork, CopiesNoTableThatIsEmpty) {
  story([&](Mm& mm) {
    map(mm, 600, kRw, 0x1'0000'0000);
    write(mm, 0x1'0000'0000, 1);
    map(mm, 1, kRw, 0x2'0000'0000);
    Mm& child = fork(mm);
    EXPECT_EQ(tables(mm), 4);
    EXPECT_EQ(tables(child), 4);
    mmput(m, child);
  });
}

TEST_F(Fork, SharedMemoryStaysWritable) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1, kRw | kVmShared);
    write(mm, at, 5);
    Mm& child = fork(mm);
    EXPECT_TRUE(pte(mm, at).writable());
    EXPECT_TRUE(pte(mm, at).dirty());
    EXPECT_FALSE(pte(child, at).dirty());
    write(child, at, 6);
    EXPECT_EQ(read(mm, at).value, 6u);
    EXPECT_EQ(rss(child), "1 0");
    mmput(m, child);
    EXPECT_EQ(read(mm, at).value, 6u);
  });
}

TEST_F(Fork, TheZeroPageIsJustCopied) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    read(mm, at);
    Mm& child = fork(mm);
    EXPECT_TRUE(m.is_zero_page(pte(child, at).pfn()));
    EXPECT_EQ(m.zero_page().count.read(), 1);
    EXPECT_EQ(rss(child), "0 0");
    mmput(m, child);
  });
}

TEST_F(Fork, APageWithoutAccessIsShared) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    protect(mm, at, 1, 0);
    Mm& child = fork(mm);
    EXPECT_EQ(counts(mm, at), "2 2");
    protect(child, at, 1, kRw);
    EXPECT_EQ(read(child, at).value, 5u);
    write(child, at, 6);
    protect(mm, at, 1, kVmRead);
    EXPECT_EQ(read(mm, at).value, 5u);
    mmput(m, child);
  });
}

TEST_F(Fork, ASwapEntryIsCountedForTheChild) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    swap_out(mm, at);
    Mm& child = fork(mm);
    EXPECT_EQ(pte(child, at), pte(mm, at));
    EXPECT_EQ(rss(child), "0 0");
    EXPECT_EQ(read(child, at).value, 5u);
    write(mm, at, 6);
    EXPECT_EQ(read(child, at).value, 5u);
    mmput(m, child);
  });
}

TEST_F(Fork, AWriteThroughAStaleTranslationIsImpossibleAfterwards) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Mm& child = fork(mm);
    m.mmu->for_each_entry([](const TlbEntry& entry) { EXPECT_FALSE(entry.writable); });
    write(mm, at, 6);
    EXPECT_EQ(read(child, at).value, 5u);
    mmput(m, child);
  });
}

TEST_F(Fork, AWalkFindsBoth) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Mm& child = fork(mm);
    std::string shown;
    m.scheme().walk(page_of(mm, at), [&](const rmap::Mapping& mapping) {
      EXPECT_EQ(mapping.addr, at);
      shown += std::to_string(mapping.vma->vm_mm->id);
      return rmap::Walk::kContinue;
    });
    std::sort(shown.begin(), shown.end());
    EXPECT_EQ(shown, "12");
    mmput(m, child);
  });
}

// Wherever memory runs out, the parent is as it was and nothing is left of the child.
TEST_F(Fork, FailsWithoutATrace) {
  for (std::uint32_t nth = 1;; ++nth) {
    ASSERT_LT(nth, 100u);
    bool struck = false;
    story([&](Mm& mm) {
      const VirtAddr at = map(mm, 2);
      write(mm, at, 5);
      map(mm, 1, kRw, 0x1'0000'0000);
      write(mm, 0x1'0000'0000, 6);
      map(mm, 1, kRw | kVmShared);
      current()->fail_nth = nth;
      const Result<Mm*> child = dup_mm(m, mm);
      struck = current()->fail_nth == 0;
      current()->fail_nth = 0;
      EXPECT_EQ(child.status(), struck ? Status::kNoMemory : Status::kOk);
      if (child.ok()) mmput(m, **child);
      EXPECT_EQ(counts(mm, at), "1 1");
      EXPECT_EQ(read(mm, at).value, 5u);
      write(mm, 0x1'0000'0000, 7);
      EXPECT_EQ(m.mm_cache.live_objects(), 1u);
    });
    if (!struck) break;
  }
}

TEST_F(Fork, AUserMoreKeepsTheMemory) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    mmget(mm);
    mmput(m, mm);
    EXPECT_EQ(read(mm, at).value, 5u);
  });
}

TEST_F(Fork, AHolderKeepsTheObjectOnly) {
  EXPECT_EQ(tell([&] {
              Mm* const mm = mm_create(m);
              const VirtAddr at = map(*mm, 1);
              write(*mm, at, 5);
              mm->mm_count.inc();
              mmput(m, *mm);
              EXPECT_EQ(m.frames.free_count(), frames_free);
              EXPECT_EQ(m.mm_cache.live_objects(), 1u);
              EXPECT_EQ(mm->context.root, kNoPfn);
              mmdrop(m, *mm);
            }),
            "");
  expect_nothing_left();
}

// A parent that goes on writing while it forks: the child gets each word as it was at
// some moment, and never sees a later store.
TEST_F(Fork, RacesWithAWritingThread) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    boot(m, run);
    run.reset();
    Mm* mm = nullptr;
    Mm* child = nullptr;
    VirtAddr at = 0;
    ASSERT_EQ(run_alone(run,
                        [&] {
                          mm = mm_create(m);
                          at = map(*mm, 2);
                          write(*mm, at, 0);
                          write(*mm, page_at(at, 1), 0);
                        }),
              std::nullopt);
    const auto forks = [&] {
      child = &fork(*mm);
      const std::uint64_t first = read(*child, at).value;
      EXPECT_EQ(read(*child, at).value, first) << "seed " << seed;
    };
    const auto writes = [&] {
      for (std::uint64_t i = 1; i <= 5; ++i) {
        user_access(m, *mm, 1, page_at(at, i % 2), UserAccess::kWrite, i);
      }
    };
    const auto finding = run_tasks(run, pos_seed(seed), {forks, writes});
    ASSERT_EQ(finding ? finding->title + finding->detail : "", "") << "seed " << seed;
    ASSERT_EQ(run_alone(run,
                        [&] {
                          mmput(m, *child);
                          EXPECT_EQ(read(*mm, at).value, 4u);
                          EXPECT_EQ(read(*mm, page_at(at, 1)).value, 5u);
                          mmput(m, *mm);
                        }),
              std::nullopt);
    expect_nothing_left();
  }
}

}  // namespace
}  // namespace racier
