// core/memory/swap_file_test.cc - what is written to a swap file is read from it, and
// an error is told.
#include "core/memory/swap_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <vector>

namespace racier {
namespace {

struct SwapFileTest : testing::Test {
  using Page = std::vector<std::byte>;
  static Page page_of(int value) { return Page(kPageSize, std::byte(value)); }
  bool write(std::uint32_t slot, int value) {
    return file.write(slot, page_of(value).data());
  }
  // Returns what a read left in a page of 255s.
  Page read(std::uint32_t slot) {
    Page page = page_of(255);
    could_read = file.read(slot, page.data());
    return page;
  }
  off_t size() const {
    struct stat about {};
    fstat(file.fd(), &about);
    return about.st_size;
  }
  SwapFile file{4};
  bool could_read = false;
};

TEST_F(SwapFileTest, KeepsPagesApart) {
  EXPECT_TRUE(write(1, 1));
  EXPECT_TRUE(write(3, 3));
  EXPECT_EQ(read(1), page_of(1));
  EXPECT_EQ(read(3), page_of(3));
  EXPECT_TRUE(write(1, 9));
  EXPECT_EQ(read(1), page_of(9));
  EXPECT_EQ(read(3), page_of(3));
  EXPECT_EQ(size(), 4 * static_cast<off_t>(kPageSize)) << "a real file";
}

TEST_F(SwapFileTest, IsZeroUntilWrittenAndAfterReset) {
  EXPECT_EQ(read(2), page_of(0));
  EXPECT_TRUE(could_read);
  EXPECT_TRUE(write(3, 3));
  file.reset();
  EXPECT_EQ(read(3), page_of(0));
  EXPECT_TRUE(write(0, 5));
  EXPECT_EQ(read(0), page_of(5));
  EXPECT_EQ(read(3), page_of(0));
}

TEST_F(SwapFileTest, WhatIsBehindTheEndCannotBeRead) {
  EXPECT_TRUE(write(3, 3));
  EXPECT_EQ(ftruncate(file.fd(), 3 * kPageSize + 8), 0);
  EXPECT_EQ(read(3), page_of(255)) << "the frame is as it was";
  EXPECT_FALSE(could_read);
}

TEST_F(SwapFileTest, WhatIsLostCannotBeReadUntilItIsWritten) {
  EXPECT_TRUE(write(1, 1));
  EXPECT_TRUE(write(2, 2));
  file.lose();
  EXPECT_EQ(size(), 0);
  read(1);
  EXPECT_FALSE(could_read);
  EXPECT_TRUE(write(2, 4));
  EXPECT_EQ(read(2), page_of(4));
  read(1);
  EXPECT_FALSE(could_read) << "a hole is no content";
  EXPECT_EQ(read(3), page_of(0)) << "it never had any";
}

TEST_F(SwapFileTest, AWriteThatFailsIsTold) {
  EXPECT_TRUE(write(1, 1));
  const int null = open("/dev/full", O_RDWR);
  ASSERT_GE(null, 0);
  const int kept = dup(file.fd());
  dup2(null, file.fd());
  EXPECT_FALSE(write(1, 2));
  dup2(kept, file.fd());
  close(kept);
  close(null);
  EXPECT_EQ(read(1), page_of(1));
}

TEST(NamedSwapFile, IsWhereItsPathSays) {
  const std::string path = testing::TempDir() + "racier_swap_file_test";
  {
    SwapFile file(2, path);
    EXPECT_TRUE(file.write(1, std::vector<std::byte>(kPageSize).data()));
    EXPECT_EQ(std::filesystem::file_size(path), 2 * kPageSize);
  }
  { SwapFile again(2, path); }
  EXPECT_EQ(std::filesystem::file_size(path), 0u) << "it is emptied";
  std::filesystem::remove(path);
  EXPECT_THROW(SwapFile(2, path + "/none"), std::system_error);
}

}  // namespace
}  // namespace racier
