// core/memory/host_access_test.cc - what the host refuses returns, and has done
// nothing.
#include "core/memory/host_access.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "core/base/types.h"

namespace racier {
namespace {

struct HostAccess : testing::Test {
  HostAccess() {
    handle_host_faults();
    page = static_cast<std::byte*>(mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  }
  ~HostAccess() override { munmap(page, kPageSize); }
  void allow(int protection) { ASSERT_EQ(mprotect(page, kPageSize, protection), 0); }

  std::byte* page = nullptr;
  std::uint64_t value = 0;
};

TEST_F(HostAccess, WhatIsAllowedIsDone) {
  EXPECT_TRUE(host_store(page + 8, 40));
  value = 2;
  EXPECT_TRUE(host_add(page + 8, value));
  EXPECT_EQ(value, 42u);
  value = 0;
  EXPECT_TRUE(host_load(page + 8, value));
  EXPECT_EQ(value, 42u);
}

TEST_F(HostAccess, WhatIsNotThereIsRefused) {
  ASSERT_TRUE(host_store(page, 7));
  allow(PROT_NONE);
  value = 5;
  EXPECT_FALSE(host_load(page, value));
  EXPECT_FALSE(host_store(page, 9));
  EXPECT_FALSE(host_add(page, value));
  EXPECT_EQ(value, 5u);
  allow(PROT_READ);
  EXPECT_TRUE(host_load(page, value));
  EXPECT_EQ(value, 7u);
  EXPECT_FALSE(host_store(page, 9));
  EXPECT_FALSE(host_add(page, value));
  EXPECT_TRUE(host_load(page, value));
  EXPECT_EQ(value, 7u);
}

TEST_F(HostAccess, AnyOtherFaultIsAsBefore) {
  allow(PROT_NONE);
  EXPECT_DEATH(*reinterpret_cast<volatile std::uint64_t*>(page) = 1, "");
}

}  // namespace
}  // namespace racier
