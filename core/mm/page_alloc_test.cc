// core/mm/page_alloc_test.cc - pages, references, and the LRU lists.
#include "core/mm/page_alloc.h"

#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

struct PageAlloc : MmForTest {
  PageAlloc() : MmForTest({.frames = 24, .slab_pages = 32, .swap_slots = 32}) {}
  // "active inactive"
  std::string lru() NO_THREAD_SAFETY_ANALYSIS {
    return std::to_string(m.lru.nr_active) + " " + std::to_string(m.lru.nr_inactive);
  }
};

TEST_F(PageAlloc, APageStartsWithOneReferenceAndNothingElse) {
  EXPECT_EQ(tell([&] {
              Page* const page = alloc_page(m, Gfp::kKernel);
              EXPECT_EQ(page->count.read(), 1);
              EXPECT_EQ(page->mapcount.raw(), -1);
              EXPECT_EQ(page->flags.raw(), 0u);
              EXPECT_EQ(page->mapping.raw(), 0u);
              put_page(m, *page);
            }),
            "");
  expect_nothing_left();
}

TEST_F(PageAlloc, AZeroedPageIsZeroed) {
  EXPECT_EQ(tell([&] {
              Page* const page = alloc_zeroed_page(m, Gfp::kAtomic);
              const std::byte* const data = m.frames.data(page->pfn);
              for (std::uint64_t at = 0; at < kPageSize; at += 8) {
                EXPECT_EQ(load_user_word(data + at), 0u);
              }
              put_page(m, *page);
            }),
            "");
}

TEST_F(PageAlloc, LivesAsLongAsItsReferences) {
  EXPECT_EQ(tell([&] {
              Page* const page = alloc_page(m, Gfp::kKernel);
              get_page(*page);
              EXPECT_TRUE(get_page_unless_zero(*page));
              put_page(m, *page);
              put_page(m, *page);
              EXPECT_FALSE(m.frames.is_free(page->pfn));
              put_page(m, *page);
              EXPECT_TRUE(m.frames.is_free(page->pfn));
              EXPECT_FALSE(get_page_unless_zero(*page));
            }),
            "");
}

TEST_F(PageAlloc, ReturnsNothingWhenAllIsTaken) {
  EXPECT_EQ(tell([&] {
              std::vector<Page*> pages;
              while (Page* const page = alloc_page(m, Gfp::kKernel)) {
                pages.push_back(page);
              }
              EXPECT_EQ(pages.size(), frames_free);
              EXPECT_FALSE(current()->memalloc);
              EXPECT_EQ(alloc_page(m, Gfp::kAtomic), nullptr);
              for (Page* const page : pages) put_page(m, *page);
            }),
            "");
  expect_nothing_left();
}

TEST_F(PageAlloc, ReclaimsWhenFramesRunOut) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 30);
    for (std::uint64_t i = 0; i < 30; ++i) {
      EXPECT_EQ(try_write(mm, page_at(at, i), i), Status::kOk) << i;
    }
    for (std::uint64_t i = 0; i < 30; ++i) EXPECT_EQ(read(mm, page_at(at, i)).value, i);
  });
}

TEST_F(PageAlloc, AReclaimerDoesNotReclaim) {
  EXPECT_EQ(tell([&] {
              std::vector<Page*> pages;
              while (Page* const page = alloc_page(m, Gfp::kAtomic)) {
                pages.push_back(page);
              }
              Page& last = *pages.back();
              current()->memalloc = true;
              EXPECT_EQ(alloc_page(m, Gfp::kKernel), nullptr);
              current()->memalloc = false;
              EXPECT_EQ(last.count.read(), 1);
              for (Page* const page : pages) put_page(m, *page);
            }),
            "");
}

TEST_F(PageAlloc, AnAllocationThatIsMeantToFailDoesNotReclaim) {
  EXPECT_EQ(tell([&] {
              current()->fail_nth = 1;
              EXPECT_EQ(alloc_page(m, Gfp::kKernel), nullptr);
              EXPECT_EQ(current()->fail_nth, 0u);
            }),
            "");
}

TEST_F(PageAlloc, MaySleepOnlyIfTheCallerMay) {
  EXPECT_NE(tell([&] {
              const SpinGuard guard(m.mms_lock);
              static_cast<void>(alloc_page(m, Gfp::kKernel));
            }).find("sleeping function called from invalid context"),
            std::string::npos);
  boot(m, run);
  EXPECT_EQ(tell([&] {
              const SpinGuard guard(m.mms_lock);
              put_page(m, *alloc_page(m, Gfp::kAtomic));
            }),
            "");
}

TEST_F(PageAlloc, AFreePageLeavesItsList) {
  EXPECT_EQ(tell([&] {
              Page* const one = alloc_page(m, Gfp::kKernel);
              Page* const two = alloc_page(m, Gfp::kKernel);
              lru_cache_add_active(m, *one);
              lru_cache_add(m, *two);
              EXPECT_EQ(lru(), "1 1");
              put_page(m, *one);
              EXPECT_EQ(lru(), "0 1");
              put_page(m, *two);
              EXPECT_EQ(lru(), "0 0");
            }),
            "");
}

TEST_F(PageAlloc, BecomesActiveWithItsSecondUse) {
  EXPECT_EQ(tell([&] {
              Page* const page = alloc_page(m, Gfp::kKernel);
              lru_cache_add(m, *page);
              mark_page_accessed(m, *page);
              EXPECT_EQ(lru(), "0 1");
              EXPECT_TRUE(page->peek(PageFlag::kReferenced));
              mark_page_accessed(m, *page);
              EXPECT_EQ(lru(), "1 0");
              EXPECT_FALSE(page->peek(PageFlag::kReferenced));
              mark_page_accessed(m, *page);
              mark_page_accessed(m, *page);
              EXPECT_EQ(lru(), "1 0");
              put_page(m, *page);
            }),
            "");
}

TEST_F(PageAlloc, FindsPagesThatAreFreedWhileInUse) {
  struct Row {
    const char* why;
    void (*spoil)(Page&);
  };
  for (const Row& row : {
           Row{"mapped", [](Page& page) { page.mapcount.raw() = 0; }},
           Row{"locked", [](Page& page) { page.set(PageFlag::kLocked); }},
           Row{"in the swap cache", [](Page& page) { page.set(PageFlag::kSwapCache); }},
           Row{"being written", [](Page& page) { page.set(PageFlag::kWriteback); }},
           Row{"in a page cache", [](Page& page) { page.mapping.raw() = 64; }},
       }) {
    boot(m, run);
    const std::string found = tell([&] {
      Page* const page = alloc_page(m, Gfp::kKernel);
      row.spoil(*page);
      put_page(m, *page);
    });
    EXPECT_TRUE(found.starts_with("BUG: Bad page state")) << found;
    EXPECT_NE(found.find(row.why), std::string::npos) << found;
  }
}

TEST_F(PageAlloc, FindsAReferenceTooFew) {
  const std::string found = tell([&] {
    Page* const page = alloc_page(m, Gfp::kKernel);
    put_page(m, *page);
    put_page(m, *page);
  });
  EXPECT_TRUE(found.starts_with("refcount_t: underflow")) << found;
}

TEST_F(PageAlloc, ThePageLockExcludes) {
  Page* page = nullptr;
  int inside = 0;
  ASSERT_EQ(tell([&] { page = alloc_page(m, Gfp::kKernel); }), "");
  const auto body = [&] {
    for (int i = 0; i < 5; ++i) {
      lock_page(m, *page);
      EXPECT_EQ(++inside, 1);
      EXPECT_FALSE(trylock_page(*page));
      --inside;
      unlock_page(m, *page);
    }
  };
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    run.reset();
    const auto finding = run_tasks(run, random_walk_seed(seed), {body, body, body});
    ASSERT_EQ(finding ? finding->title : "", "");
  }
}

}  // namespace
}  // namespace racier
