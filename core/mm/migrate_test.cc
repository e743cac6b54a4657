// core/mm/migrate_test.cc - pages that move, and pages that stay.
#include "core/mm/migrate.h"

#include "core/mm/filemap.h"
#include "core/mm/mm_for_test.h"
#include "core/mm/reclaim.h"
#include "core/mm/swap.h"

namespace racier {
namespace {

// Each story is told for every scheme.
class Migrate : public MmForTest, public testing::WithParamInterface<const char*> {
 protected:
  Migrate() : MmForTest({.rmap = GetParam(), .frames = 128, .slab_pages = 32}) {}

  // Isolates the page at `addr`; the tests below do with it what they like.
  Page& isolate(Mm& mm, VirtAddr addr) {
    Page& page = page_of(mm, addr);
    EXPECT_TRUE(isolate_lru_page(m, page, active_));
    return page;
  }
  Status move(Page& isolated) {
    return migrate_page(m, isolated, active_, *alloc_page(m, Gfp::kKernel));
  }
  Status migrate(Mm& mm, VirtAddr addr) { return move(isolate(mm, addr)); }

  bool active_ = false;
};

INSTANTIATE_TEST_SUITE_P(Schemes, Migrate,
                         testing::Values("pte_chain", "anon_area", "anon_vma_spin",
                                         "anon_vma_rwsem", "anon_vma_chain"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(Migrate, MovesAnAnonymousPage) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Page& before = page_of(mm, at);
    EXPECT_EQ(migrate(mm, at), Status::kOk);
    EXPECT_TRUE(m.frames.is_free(before.pfn));
    EXPECT_EQ(read(mm, at).value, 5u);
    EXPECT_NE(&page_of(mm, at), &before);
    EXPECT_EQ(rss(mm), "1 1");
    EXPECT_TRUE(page_of(mm, at).test(PageFlag::kActive));
    write(mm, at, 6);
    EXPECT_EQ(read(mm, at).value, 6u);
  });
}

TEST_P(Migrate, MovesAPageOfTwoProcesses) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2);
    write(mm, page_at(at, 1), 5);
    Mm& child = *dup_mm(m, mm).value();
    EXPECT_EQ(migrate(mm, page_at(at, 1)), Status::kOk);
    EXPECT_EQ(read(mm, page_at(at, 1)).value, 5u);
    EXPECT_EQ(read(child, page_at(at, 1)).value, 5u);
    EXPECT_EQ(&page_of(mm, page_at(at, 1)), &page_of(child, page_at(at, 1)));
    EXPECT_FALSE(pte(child, page_at(at, 1)).writable());
    EXPECT_EQ(rss(child), "1 1");
    write(child, page_at(at, 1), 6);
    EXPECT_EQ(read(mm, page_at(at, 1)).value, 5u);
    mmput(m, child);
  });
}

TEST_P(Migrate, MovesAPageOfTheSwapCache) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Page& page = isolate(mm, at);
    lock_page(m, page);
    EXPECT_TRUE(add_to_swap(m, page));
    EXPECT_EQ(try_to_unmap(m, page, Ttu::kForce), Unmap::kSuccess);
    const SwapEntry entry = page.swap_entry();
    unlock_page(m, page);
    EXPECT_EQ(move(page), Status::kOk);
    EXPECT_EQ(pte(mm, at), Pte::swap(entry));
    EXPECT_EQ(read(mm, at).value, 5u);
  });
}

TEST_P(Migrate, MovesAPageOfAFile) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 0, 2, 0, kVmRead);
    const std::uint64_t word = read(mm, page_at(at, 1)).value;
    Page& before = page_of(mm, page_at(at, 1));
    EXPECT_EQ(migrate(mm, page_at(at, 1)), Status::kOk);
    EXPECT_EQ(read(mm, page_at(at, 1)).value, word);
    EXPECT_NE(&page_of(mm, page_at(at, 1)), &before);
    EXPECT_EQ(rss(mm), "1 0");
    unmap(mm, at, 2);
    truncate_inode_pages(m, m.file(0));
  });
}

TEST_P(Migrate, MovesSharedMemory) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1, kRw | kVmShared);
    write(mm, at, 5);
    Mm& child = *dup_mm(m, mm).value();
    EXPECT_EQ(migrate(mm, at), Status::kOk);
    write(child, at, 6);
    EXPECT_EQ(read(mm, at).value, 6u);
    EXPECT_TRUE(page_of(mm, at).test(PageFlag::kSwapBacked));
    mmput(m, child);
  });
}

TEST_P(Migrate, APinnedPageStays) {
  for (const std::uint32_t shared : {0u, kVmShared}) {
    story([&](Mm& mm) {
      const VirtAddr at = map(mm, 1, kRw | shared);
      write(mm, at, 5);
      Page& page = page_of(mm, at);
      get_page(page);
      EXPECT_EQ(migrate(mm, at), Status::kAgain);
      EXPECT_EQ(read(mm, at).value, 5u);
      EXPECT_EQ(&page_of(mm, at), &page);
      EXPECT_EQ(rss(mm), shared != 0 ? "1 0" : "1 1");
      EXPECT_TRUE(page.test(PageFlag::kLru));
      put_page(m, page);
      EXPECT_EQ(migrate(mm, at), Status::kOk);
    });
  }
}

TEST_P(Migrate, APageThatNobodyNeedsIsLetGo) {
  for (const std::uint32_t shared : {0u, kVmShared}) {
    story([&](Mm& mm) {
      const VirtAddr at = map(mm, 1, kRw | shared);
      write(mm, at, 5);
      Page& page = isolate(mm, at);
      unmap(mm, at, 1);
      EXPECT_EQ(move(page), Status::kNoEntry);
      EXPECT_TRUE(m.frames.is_free(page.pfn));
    });
  }
}

TEST_P(Migrate, ALockedAwayPageIsMovedToo) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    protect(mm, at, 1, 0);
    EXPECT_EQ(migrate(mm, at), Status::kOk);
    EXPECT_EQ(read(mm, at).status, Status::kFault);
    protect(mm, at, 1, kVmRead);
    EXPECT_EQ(read(mm, at).value, 5u);
    EXPECT_FALSE(pte(mm, at).writable());
  });
}

// By entries the page comes back as it was; by swap it is faulted in again.
TEST_P(Migrate, NobodyFaultsWhereEntriesAreFoundAgain) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    EXPECT_EQ(migrate(mm, at), Status::kOk);
    const bool entries = m.scheme().traits().walks_unmapped;
    EXPECT_EQ(pte(mm, at).present(), entries);
    EXPECT_EQ(pte(mm, at).writable(), entries);
  });
}

TEST_P(Migrate, WithoutSwapOnlyEntriesHelp) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    while (get_swap_page(m)) {
    }
    const bool entries = m.scheme().traits().walks_unmapped;
    EXPECT_EQ(migrate(mm, at), entries ? Status::kOk : Status::kNoMemory);
    EXPECT_EQ(read(mm, at).value, 5u);
    for (std::uint32_t slot = 1; slot < m.swap.slots; ++slot) swap_free(m, {slot});
  });
}

TEST_P(Migrate, IsolationTakesAPageOffTheLists) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Page& page = isolate(mm, at);
    EXPECT_TRUE(active_);
    EXPECT_FALSE(page.test(PageFlag::kLru));
    bool active = false;
    EXPECT_FALSE(isolate_lru_page(m, page, active));
    putback_lru_page(m, page, false);
    EXPECT_TRUE(page.test(PageFlag::kLru));
    EXPECT_FALSE(page.test(PageFlag::kActive));
    EXPECT_EQ(page.count.read(), 2 - (m.scheme().own_refs(page) == 0 ? 1 : 0));
  });
}

}  // namespace
}  // namespace racier
