// core/memory/page_store_test.cc - what is written to a slot is read from it.
#include "core/memory/page_store.h"

#include <gtest/gtest.h>

#include <vector>

namespace racier {
namespace {

struct PageStoreTest : testing::Test {
  using Page = std::vector<std::byte>;
  static Page page_of(int value) { return Page(kPageSize, std::byte(value)); }
  Page read(std::uint32_t slot) {
    Page page(kPageSize, std::byte{255});
    store.read(slot, page.data());
    return page;
  }
  PageStore store{4};
};

TEST_F(PageStoreTest, KeepsPagesApart) {
  store.write(1, page_of(1).data());
  store.write(3, page_of(3).data());
  EXPECT_EQ(read(1), page_of(1));
  EXPECT_EQ(read(3), page_of(3));
  store.write(1, page_of(9).data());
  EXPECT_EQ(read(1), page_of(9));
  EXPECT_EQ(read(3), page_of(3));
}

TEST_F(PageStoreTest, IsZeroUntilWritten) { EXPECT_EQ(read(2), page_of(0)); }

TEST_F(PageStoreTest, IsZeroWhenCleared) {
  EXPECT_FALSE(store.is_written(2));
  store.write(2, page_of(2).data());
  EXPECT_TRUE(store.is_written(2));
  store.clear(2);
  EXPECT_EQ(read(2), page_of(0));
  EXPECT_TRUE(store.is_written(2));
  store.reset();
  EXPECT_FALSE(store.is_written(2));
}

TEST_F(PageStoreTest, IsZeroAfterReset) {
  store.write(3, page_of(3).data());
  store.reset();
  EXPECT_EQ(read(3), page_of(0));
  store.write(0, page_of(5).data());
  EXPECT_EQ(read(0), page_of(5));
  EXPECT_EQ(read(3), page_of(0));
}

}  // namespace
}  // namespace racier
