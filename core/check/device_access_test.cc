// core/check/device_access_test.cc - what a device may do to whose memory.
#include "core/check/device_access.h"

#include <gtest/gtest.h>

#include "core/check/machine_for_test.h"
#include "core/mm/gup.h"

namespace racier::check {
namespace {

constexpr VirtAddr kAt = 0x10000;

// An address space with one page that is pinned to be written.
struct DeviceAccesses : testing::Test {
  DeviceAccesses() {
    bench.in_task([&] {
      mm = mm_create(bench.m);
      bench.map(*mm, kAt, 1, kVmRead | kVmWrite);
      bench.write(*mm, kAt);
      pinned = *get_user_page(bench.m, *mm, kAt, Gup::kWrite);
    });
  }
  void store(std::uint64_t value) { store_pinned(bench.m, pinned, 0, value); }
  bool may_be(const Mm& of, std::uint64_t value) {
    return bench.watcher.memory().allows({of.id, kAt, nullptr}, value);
  }
  std::string audit() {
    Page* const pins[] = {pinned.page};
    return bench.audit({.pins = pins});
  }

  Bench bench;
  Mm* mm = nullptr;
  PinnedPage pinned;
};

TEST_F(DeviceAccesses, AStoreIsTheOwners) {
  bench.in_task([&] { store(5); });
  EXPECT_TRUE(may_be(*mm, 5));
  EXPECT_FALSE(may_be(*mm, tag(mm->id, 1)));
  bench.in_task([&] { EXPECT_EQ(bench.read(*mm, kAt), 5u); });
  EXPECT_EQ(audit(), "");
}

TEST_F(DeviceAccesses, AfterAForkItIsWhoeverKeepsThePage) {
  bench.in_task([&] {
    Mm& child = bench.fork(*mm);
    store(5);
    EXPECT_TRUE(may_be(*mm, 5) && may_be(child, 5));
    EXPECT_TRUE(may_be(*mm, tag(mm->id, 1)) && may_be(child, tag(mm->id, 1)));
    bench.write(*mm, kAt);  // it copies the page: the child has it alone
    const std::uint64_t own = bench.read(*mm, kAt);
    store(6);
    EXPECT_FALSE(may_be(*mm, 6));
    EXPECT_EQ(bench.read(*mm, kAt), own);
    EXPECT_EQ(bench.read(child, kAt), 6u);
  });
  EXPECT_EQ(audit(), "");
}

// Until then a fault may put a copy there that was made before the store.
TEST_F(DeviceAccesses, WhatIsNotSureIsNotSettledByALoad) {
  bench.in_task([&] {
    bench.fork(*mm);
    store(5);
    EXPECT_EQ(bench.read(*mm, kAt), 5u);
    EXPECT_TRUE(may_be(*mm, tag(mm->id, 1)));
    bench.write(*mm, kAt);
    EXPECT_FALSE(may_be(*mm, tag(mm->id, 1)));
  });
}

TEST_F(DeviceAccesses, WhoHadNoPartInItMayNotSeeIt) {
  bench.in_task([&] {
    Mm& child = bench.fork(*mm);
    pinned.mm_id = pinned.newest_mm_id = child.id;  // as if it were the child's
    store(5);
    EXPECT_TRUE(may_be(child, 5));
    EXPECT_FALSE(may_be(*mm, 5));
  });
  EXPECT_EQ(audit(), name_of(Inv::kDataIsLastStore));
}

TEST_F(DeviceAccesses, AStoreToADetachedPageIsNobodys) {
  bench.in_task([&] {
    EXPECT_EQ(do_munmap(bench.m, *mm, {kAt, kAt + kPageSize}), Status::kOk);
    bench.map(*mm, kAt, 1, kVmRead | kVmWrite);
    bench.write(*mm, kAt);
    store(5);
    EXPECT_FALSE(may_be(*mm, 5));
  });
  EXPECT_EQ(audit(), "");
}

TEST_F(DeviceAccesses, ALoadIsJudged) {
  bench.in_task([&] { EXPECT_EQ(load_pinned(bench.m, pinned, 0), tag(mm->id, 1)); });
  bench.word(*pinned.page) = 9;
  const auto finding = run_alone(bench.run, [&] { load_pinned(bench.m, pinned, 0); });
  EXPECT_EQ(name_of(finding), name_of(Inv::kDataIsLastStore));
}

}  // namespace
}  // namespace racier::check
