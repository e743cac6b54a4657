// core/mm/filemap_test.cc - the page cache.
#include "core/mm/filemap.h"

#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

struct Filemap : MmForTest {
  // References of the page at `index` of file 0, the caller's own not counted.
  std::int32_t count(std::uint64_t index) {
    Page* const page = find_get_page(m.file(0), index);
    if (page == nullptr) return 0;
    put_page(m, *page);
    return page->count.read();
  }
};

TEST_F(Filemap, ReadsAPageOnceAndKeepsIt) {
  EXPECT_EQ(tell([&] {
              EXPECT_EQ(find_get_page(m.file(0), 3), nullptr);
              Page* const first = *filemap_nopage(m, m.file(0), 3);
              Page* const again = *filemap_nopage(m, m.file(0), 3);
              EXPECT_EQ(first, again);
              EXPECT_EQ(first->count.read(), 3);
              EXPECT_EQ(load_user_word(m.frames.data(first->pfn) + 8),
                        file_word(0, 3, 1));
              put_page(m, *first);
              put_page(m, *again);
              EXPECT_EQ(count(3), 1) << "the cache's own";
              truncate_inode_pages(m, m.file(0));
              EXPECT_EQ(count(3), 0);
            }),
            "");
  expect_nothing_left();
}

TEST_F(Filemap, BehindTheEndThereIsNothing) {
  EXPECT_EQ(tell([&] {
              const std::uint64_t size = m.file(0).size;
              EXPECT_EQ(filemap_nopage(m, m.file(0), size).status(), Status::kBusError);
              EXPECT_EQ(find_get_page(m.file(0), size), nullptr);
            }),
            "");
}

TEST_F(Filemap, NoMemoryLeavesTheCacheAsItWas) {
  EXPECT_EQ(tell([&] {
              current()->fail_nth = 1;
              EXPECT_EQ(filemap_nopage(m, m.file(0), 0).status(), Status::kNoMemory);
              EXPECT_EQ(find_get_page(m.file(0), 0), nullptr);
            }),
            "");
  expect_nothing_left();
}

TEST_F(Filemap, ACleanPageGoesOnlyIfNobodyElseHasIt) {
  EXPECT_EQ(tell([&] {
              Page& page = **filemap_nopage(m, m.file(0), 0);
              lock_page(m, page);
              get_page(page);
              EXPECT_FALSE(remove_clean_file_page(m, page)) << "somebody else has it";
              put_page(m, page);
              page.set(PageFlag::kDirty);
              EXPECT_FALSE(remove_clean_file_page(m, page)) << "dirty";
              page.clear(PageFlag::kDirty);
              EXPECT_TRUE(remove_clean_file_page(m, page));
              unlock_page(m, page);
              put_page(m, page);
            }),
            "");
  expect_nothing_left();
}

TEST_F(Filemap, TwoReadersOfOnePageGetTheSame) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Page* pages[2] = {};
    run.reset();
    const auto finding =
        run_tasks(run, random_walk_seed(seed),
                  {[&] { pages[0] = *filemap_nopage(m, m.file(0), 2); },
                   [&] { pages[1] = *filemap_nopage(m, m.file(0), 2); }});
    ASSERT_EQ(finding, std::nullopt) << finding->title;
    EXPECT_EQ(pages[0], pages[1]);
    EXPECT_EQ(tell([&] {
                for (Page* const page : pages) put_page(m, *page);
                truncate_inode_pages(m, m.file(0));
              }),
              "");
    expect_nothing_left();
  }
}

}  // namespace
}  // namespace racier
