// core/mm/mremap_test.cc - mappings that grow, shrink and move.
#include "core/mm/mremap.h"

#include "core/mm/filemap.h"
#include "core/mm/reclaim.h"
#include "core/mm/schemes_for_test.h"
#include "core/mm/swap.h"

namespace racier {
namespace {

constexpr VirtAddr kElsewhere = 0x2'0000'0000;

struct Mremap : EachScheme {
  Status try_remap(Mm& mm, const MremapRequest& request) {
    return do_mremap(m, mm, request).status();
  }
  VirtAddr remap(Mm& mm, const MremapRequest& request) {
    const Result<VirtAddr> at = do_mremap(m, mm, request);
    EXPECT_TRUE(at.ok()) << status_name(at.status());
    return at.ok() ? *at : 0;
  }
  // Draws which of `pages` pages from `base` are mapped.
  static std::string mapped(const Mm& mm, VirtAddr base, std::uint64_t pages) {
    std::string text;
    for (std::uint64_t i = 0; i < pages; ++i) {
      const Vma* const vma = mm.vmas.find(page_at(base, i));
      text += vma != nullptr && vma->contains(page_at(base, i)) ? 'm' : '.';
    }
    return text;
  }
  void swap_out(Page& page) {
    get_page(page);
    lock_page(m, page);
    ASSERT_TRUE(add_to_swap(m, page));
    page_referenced(m, page);
    EXPECT_EQ(try_to_unmap(m, page), Unmap::kSuccess);
    unlock_page(m, page);
    put_page(m, page);
  }
};
INSTANTIATE_TEST_SUITE_P(Schemes, Mremap, testing::ValuesIn(EachScheme::names()),
                         EachScheme::name_of);

TEST_P(Mremap, GrowsWhereItIs) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    write(mm, page_at(kBase, 1), 5);
    EXPECT_EQ(remap(mm, {.addr = page_at(kBase, 1), .old_pages = 1, .new_pages = 3}),
              page_at(kBase, 1));
    EXPECT_EQ(drawn(mm, kBase, 5), "AAAA.");
    EXPECT_EQ(read(mm, page_at(kBase, 1)).value, 5u);
    EXPECT_EQ(read(mm, page_at(kBase, 3)).value, 0u);
  });
}

// A page that stays keeps the table, which would be flushed with all that it led to.
TEST_P(Mremap, TheOldPlaceIsFlushed) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    write(mm, kBase, 5);
    write(mm, page_at(kBase, 1), 6);
    remap(mm, {.addr = kBase,
               .old_pages = 1,
               .new_pages = 1,
               .may_move = true,
               .new_addr = kElsewhere});
    std::uint64_t value = 0;
    PageFault fault;
    EXPECT_FALSE(m.mmu->access(0, mm.context, kBase, UserAccess::kRead, value, fault));
    EXPECT_EQ(read(mm, kElsewhere).value, 5u);
  });
}

TEST_P(Mremap, GrowsIntoANeighbourThatIsAlike) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    map(mm, 2, kRw, page_at(kBase, 4));
    write(mm, page_at(kBase, 4), 5);
    remap(mm, {.addr = kBase, .old_pages = 2, .new_pages = 4});
    EXPECT_EQ(drawn(mm, kBase, 6), "AAAAAA");
    EXPECT_EQ(found(mm, page_at(kBase, 4), kBase), "4 ");
  });
}

TEST_P(Mremap, ShrinksWhereItIs) {
  story([&](Mm& mm) {
    map(mm, 4, kRw, kBase);
    write(mm, kBase, 5);
    write(mm, page_at(kBase, 3), 6);
    EXPECT_EQ(remap(mm, {.addr = kBase, .old_pages = 4, .new_pages = 2}), kBase);
    EXPECT_EQ(drawn(mm, kBase, 4), "AA..");
    EXPECT_EQ(rss(mm), "1 1");
  });
}

TEST_P(Mremap, MovesIfThereIsNoRoom) {
  story([&](Mm& mm) {
    map(mm, 3, kRw, kBase);
    map(mm, 1, kVmRead, page_at(kBase, 3));
    write(mm, page_at(kBase, 1), 5);
    Page& page = page_of(mm, page_at(kBase, 1));
    const MremapRequest grow{.addr = page_at(kBase, 1), .old_pages = 2, .new_pages = 4};
    EXPECT_EQ(try_remap(mm, grow), Status::kNoMemory);
    MremapRequest move = grow;
    move.may_move = true;
    const VirtAddr at = remap(mm, move);
    EXPECT_EQ(mapped(mm, kBase, 5), "m..m.");
    EXPECT_EQ(mapped(mm, at, 4), "mmmm");
    EXPECT_EQ(&page_of(mm, at), &page);
    EXPECT_EQ(read(mm, at).value, 5u);
    EXPECT_EQ(read(mm, page_at(at, 3)).value, 0u);
    EXPECT_EQ(read(mm, page_at(kBase, 1)).status, Status::kFault);
    EXPECT_EQ(found(mm, at, at), "0 ");
    EXPECT_EQ(rss(mm), "1 1");
    write(mm, page_at(at, 1), 6);
    EXPECT_EQ(found(mm, page_at(at, 1), at), "1 ");
  });
}

TEST_P(Mremap, ReplacesWhatWasThere) {
  story([&](Mm& mm) {
    map(mm, 4, kRw, kBase);
    map(mm, 4, kVmRead, kElsewhere);
    write(mm, kBase, 5);
    write(mm, page_at(kBase, 3), 6);
    EXPECT_EQ(remap(mm, {.addr = kBase,
                         .old_pages = 4,
                         .new_pages = 2,
                         .may_move = true,
                         .new_addr = page_at(kElsewhere, 1)}),
              page_at(kElsewhere, 1));
    EXPECT_EQ(mapped(mm, kBase, 4), "....");
    EXPECT_EQ(mm.map_count, 3);
    write(mm, page_at(kElsewhere, 2), 7);
    EXPECT_EQ(read(mm, page_at(kElsewhere, 1)).value, 5u);
    EXPECT_EQ(rss(mm), "2 2");
  });
}

TEST_P(Mremap, TheOldPlaceMayStayMappedAndEmpty) {
  story([&](Mm& mm) {
    map(mm, 3, kRw, kBase);
    write(mm, page_at(kBase, 1), 5);
    const VirtAddr at = remap(mm, {.addr = page_at(kBase, 1),
                                   .old_pages = 1,
                                   .new_pages = 1,
                                   .may_move = true,
                                   .dont_unmap = true});
    EXPECT_EQ(mapped(mm, kBase, 3), "mmm");
    EXPECT_EQ(read(mm, at).value, 5u);
    EXPECT_EQ(read(mm, page_at(kBase, 1)).value, 0u);
    write(mm, page_at(kBase, 1), 6);
    EXPECT_EQ(read(mm, at).value, 5u);
    EXPECT_EQ(found(mm, at, at), "0 ");
    EXPECT_EQ(found(mm, page_at(kBase, 1), kBase), "1 ");
  });
}

TEST_P(Mremap, RefusesWhatMakesNoSense) {
  struct Row {
    const char* what;
    MremapRequest request;
    Status status;
  };
  constexpr Status kInvalid = Status::kInvalid;
  constexpr Status kFault = Status::kFault;
  const VirtAddr hole = page_at(kBase, 8);
  const VirtAddr shared = page_at(kBase, 16);
  for (const Row& row : {
           Row{"no pages", {kBase, 0, 1}, kInvalid},
           Row{"none to be", {kBase, 1, 0}, kInvalid},
           Row{"too many", {kBase, 1, 1ull << 52}, kInvalid},
           Row{"not aligned", {kBase + 1, 1, 2}, kInvalid},
           Row{"outside", {kUserEnd, 1, 2}, kInvalid},
           Row{"shrinks from the outside", {kUserEnd - kPageSize, 2, 1}, kInvalid},
           Row{"may not move", {kBase, 1, 1, false, kElsewhere}, kInvalid},
           Row{"to nowhere", {kBase, 1, 1, true, kElsewhere + 1}, kInvalid},
           Row{"to the outside", {kBase, 1, 2, true, kUserEnd - kPageSize}, kInvalid},
           Row{"over itself", {kBase, 2, 2, true, page_at(kBase, 1)}, kInvalid},
           Row{"grows over itself", {kBase, 1, 4, true, kBase - kPageSize}, kInvalid},
           Row{"stays, and may not move", {kBase, 1, 1, false, 0, true}, kInvalid},
           Row{"stays, and grows", {kBase, 1, 2, true, 0, true}, kInvalid},
           Row{"stays, of a file", {shared, 1, 1, true, 0, true}, kInvalid},
           Row{"a hole", {hole, 1, 2, true}, kFault},
           Row{"a hole that goes away", {hole, 1, 1, true, kElsewhere}, kFault},
           Row{"two vmas", {kBase, 4, 5, true}, kFault},
           Row{"beyond its end", {page_at(kBase, 2), 3, 5, true}, kFault},
           Row{"no room in place", {kBase, 2, 3}, Status::kNoMemory},
           Row{"in the middle", {kBase, 1, 2}, Status::kNoMemory},
           Row{"more than there is", {kBase, 2, 1ull << 35, true}, Status::kNoMemory},
       }) {
    story([&](Mm& mm) {
      map(mm, 2, kRw, kBase);
      map(mm, 2, kVmRead, page_at(kBase, 2));
      map(mm, 1, kRw | kVmShared, shared);
      write(mm, page_at(kBase, 1), 5);
      EXPECT_EQ(try_remap(mm, row.request), row.status) << row.what;
      EXPECT_EQ(mapped(mm, kBase, 6), "mmmm..") << row.what;
      EXPECT_EQ(read(mm, page_at(kBase, 1)).value, 5u);
    });
  }
}

TEST_P(Mremap, MovesWhatEachPteHolds) {
  story([&](Mm& mm) {
    map(mm, 4, kRw, kBase);
    write(mm, kBase, 5);
    write(mm, page_at(kBase, 1), 6);
    read(mm, page_at(kBase, 2));
    swap_out(page_of(mm, kBase));
    ASSERT_TRUE(pte(mm, kBase).is_swap());
    const Pte zero = pte(mm, page_at(kBase, 2));
    const Pte used = pte(mm, page_at(kBase, 1));
    const Pte in_swap = pte(mm, kBase);
    remap(mm, {kBase, 4, 4, true, kElsewhere});
    EXPECT_EQ(pte(mm, kElsewhere), in_swap);
    EXPECT_EQ(pte(mm, page_at(kElsewhere, 1)), used);
    EXPECT_EQ(pte(mm, page_at(kElsewhere, 2)), zero);
    EXPECT_TRUE(pte(mm, page_at(kElsewhere, 3)).none());
    EXPECT_EQ(read(mm, kElsewhere).value, 5u);
    EXPECT_EQ(found(mm, kElsewhere, kElsewhere), "0 ");
    write(mm, page_at(kElsewhere, 2), 7);
    EXPECT_EQ(found(mm, page_at(kElsewhere, 2), kElsewhere), "2 ");
  });
}

TEST_P(Mremap, PagesOfAFileKeepTheirPlaceInIt) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 0, 4, 2);
    write(mm, page_at(at, 1), 5);
    read(mm, page_at(at, 2));
    remap(mm, {page_at(at, 1), 2, 3, true, kElsewhere});
    EXPECT_EQ(mm.vmas.find(kElsewhere)->vm_pgoff, 3u);
    EXPECT_EQ(read(mm, kElsewhere).value, 5u);
    EXPECT_EQ(found(mm, kElsewhere, kElsewhere), "0 ");
    Page& page = page_of(mm, page_at(kElsewhere, 1));
    lock_page(m, page);
    EXPECT_EQ(found(mm, page_at(kElsewhere, 1), kElsewhere), "1 ");
    unlock_page(m, page);
    EXPECT_EQ(read(mm, page_at(kElsewhere, 1)).value, file_word(0, 4, 0));
    EXPECT_EQ(read(mm, page_at(kElsewhere, 2)).value, file_word(0, 5, 0));
    unmap(mm, kElsewhere, 3);
    truncate_inode_pages(m, m.file(0));
  });
  EXPECT_EQ(m.file(0).count.read(), 1);
}

TEST_P(Mremap, SharedMemoryMovesAndStaysShared) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2, kRw | kVmShared);
    write(mm, page_at(at, 1), 5);
    const Result<Mm*> child = dup_mm(m, mm);
    remap(mm, {at, 2, 2, true, kElsewhere});
    write(**child, page_at(at, 1), 6);
    EXPECT_EQ(read(mm, page_at(kElsewhere, 1)).value, 6u);
    mmput(m, **child);
  });
}

TEST_P(Mremap, APageThatIsSharedIsStillCopied) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    write(mm, kBase, 5);
    const Result<Mm*> child = dup_mm(m, mm);
    remap(mm, {kBase, 1, 1, true, kElsewhere});
    Page& page = page_of(mm, kElsewhere);
    EXPECT_EQ(page.mapcount.load(), 1);
    write(mm, kElsewhere, 6);
    EXPECT_EQ(read(**child, kBase).value, 5u);
    EXPECT_EQ(found(**child, kBase, kBase), "0 ");
    mmput(m, **child);
  });
}

// Pages that were never touched take the index of their new place, so that the vma can
// become one with its new neighbour; even with itself.
TEST_P(Mremap, WhatWasNeverTouchedMergesWhereItGoes) {
  story([&](Mm& mm) {
    map(mm, 4, kRw, kBase);
    map(mm, 2, kRw, kElsewhere);
    remap(mm, {kBase, 1, 1, true, page_at(kElsewhere, 2)});
    EXPECT_EQ(mm.map_count, is("pte_chain") ? 3 : 2);
    remap(mm, {page_at(kBase, 1), 1, 1, true, page_at(kBase, 4)});
    EXPECT_EQ(mapped(mm, kBase, 6), "..mmm.");
    write(mm, page_at(kBase, 4), 5);
    EXPECT_EQ(found(mm, page_at(kBase, 4), kBase), "4 ");
  });
}

// Back to where it came from: it continues its old neighbours.
TEST_P(Mremap, WhatComesBackMerges) {
  story([&](Mm& mm) {
    map(mm, 3, kRw, kBase);
    for (std::uint64_t i = 0; i < 3; ++i) write(mm, page_at(kBase, i), i);
    remap(mm, {page_at(kBase, 1), 1, 1, true, kElsewhere});
    EXPECT_EQ(mm.map_count, 3);
    remap(mm, {kElsewhere, 1, 1, true, page_at(kBase, 1)});
    EXPECT_EQ(drawn(mm, kBase, 3), "AAA");
    for (std::uint64_t i = 0; i < 3; ++i) {
      EXPECT_EQ(read(mm, page_at(kBase, i)).value, i);
      EXPECT_EQ(found(mm, page_at(kBase, i), kBase), std::to_string(i) + " ");
    }
  });
}

// The neighbour has no page of its own yet: it must become findable for those that
// come.
TEST_P(Mremap, WhatComesBackMergesWithWhatWasNeverTouched) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    write(mm, kBase, 5);
    remap(mm, {kBase, 1, 1, true, kElsewhere});
    map(mm, 1, kRw, page_at(kBase, 1));
    remap(mm, {kElsewhere, 1, 1, true, kBase, true});
    unmap(mm, kElsewhere, 1);
    EXPECT_EQ(drawn(mm, kBase, 2), "AA");
    EXPECT_EQ(found(mm, kBase, kBase), "0 ");
  });
}

// The pages are in two tables, before and after; without memory for the second one,
// what was moved is moved back.
TEST_P(Mremap, WithoutMemoryAllStaysWhereItIs) {
  constexpr VirtAddr kEdge = 0x1'0020'0000;  // between two tables
  constexpr VirtAddr kOtherEdge = 0x2'0020'0000;
  int failed = 0;
  for (std::uint32_t nth = 1; nth <= 12; ++nth) {
    story([&](Mm& mm) {
      map(mm, 4, kRw, kEdge - 2 * kPageSize);
      for (std::uint64_t i = 0; i < 4; ++i) {
        write(mm, page_at(kEdge - 2 * kPageSize, i), 5 + i);
      }
      current()->fail_nth = nth;
      const Status status =
          try_remap(mm, {kEdge - 2 * kPageSize, 4, 4, true, kOtherEdge - kPageSize});
      current()->fail_nth = 0;
      failed += status == Status::kNoMemory ? 1 : 0;
      const VirtAddr at =
          status == Status::kOk ? kOtherEdge - kPageSize : kEdge - 2 * kPageSize;
      for (std::uint64_t i = 0; i < 4; ++i) {
        EXPECT_EQ(read(mm, page_at(at, i)).value, 5 + i);
        EXPECT_EQ(found(mm, page_at(at, i), at), std::to_string(i) + " ");
      }
      EXPECT_EQ(rss(mm), "4 4");
    });
  }
  EXPECT_GE(failed, 4);
}

// In every schedule a walk finds a page that moves: where it was, or where it is.
TEST_P(Mremap, AMoveHidesNoPage) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    boot(m, run);
    run.reset();
    Mm* mm = nullptr;
    const auto set_up = [&] {
      mm = mm_create(m);
      map(*mm, 1, kRw, kBase);
      write(*mm, kBase, 5);
    };
    ASSERT_EQ(run_alone(run, set_up), std::nullopt);
    Page& page = page_of(*mm, kBase);
    const auto moves = [&] { remap(*mm, {kBase, 1, 1, true, kElsewhere}); };
    const auto walks = [&] {
      int maps = 0;
      const bool all = m.scheme().walk(page, [&](const rmap::Mapping& at) {
        if (!m.scheme().lock_ptl(at)) return rmap::Walk::kStop;
        const SpinGuard guard(at.vma->vm_mm->page_table_lock, kAdopt);
        const PteSlot slot = find_pte(m.frames, mm->context, at.addr);
        if (slot && slot.get().maps(page.pfn)) ++maps;
        return rmap::Walk::kContinue;
      });
      EXPECT_TRUE(!all || maps == 1) << "seed " << seed;
    };
    const auto finding = run_tasks(run, random_walk_seed(seed), {moves, walks});
    ASSERT_EQ(finding ? finding->title + finding->detail : "", "") << "seed " << seed;
    ASSERT_EQ(run_alone(run, [&] { mmput(m, *mm); }), std::nullopt);
  }
}

}  // namespace
}  // namespace racier
