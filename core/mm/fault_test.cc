// core/mm/fault_test.cc - what a fault gives to whom.
#include "core/mm/fault.h"

#include "core/base/mark.h"
#include "core/mm/filemap.h"
#include "core/mm/mm_for_test.h"
#include "core/objects/address_space.h"

namespace racier {
namespace {

struct FaultTest : MmForTest {
  std::uint32_t mark_count(Mark mark) {
    return run.marks[static_cast<std::size_t>(mark)].load();
  }
};

TEST_F(FaultTest, AReadOfUntouchedMemorySeesTheZeroPage) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    const UserResult result = read(mm, at);
    EXPECT_EQ(result.value, 0u);
    EXPECT_EQ(result.faults, 1);
    EXPECT_EQ(result.first_error_code, PageFault::kUser);
    EXPECT_TRUE(m.is_zero_page(pte(mm, at).pfn()));
    EXPECT_FALSE(pte(mm, at).writable());
    EXPECT_EQ(rss(mm), "0 0") << "the zero page is nobody's";
  });
}

TEST_F(FaultTest, AWriteGetsAPageOfItsOwnFullOfZeroes) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2);
    write(mm, at, 7);
    EXPECT_EQ(read(mm, at).value, 7u);
    EXPECT_EQ(read(mm, at + 8).value, 0u);
    EXPECT_TRUE(pte(mm, at).dirty());
    EXPECT_TRUE(page_of(mm, at).is_anon());
    EXPECT_EQ(rss(mm), "1 1");
    EXPECT_TRUE(pte(mm, page_at(at, 1)).none()) << "only the page that was touched";
  });
}

TEST_F(FaultTest, AWriteAfterAReadTakesThePlaceOfTheZeroPage) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    read(mm, at);
    const UserResult result =
        user_access(m, mm, 0, at, UserAccess::kReadModifyWrite, 3);
    EXPECT_EQ(result.first_error_code,
              PageFault::kUser | PageFault::kWrite | PageFault::kPresent);
    EXPECT_EQ(result.value, 3u);
    EXPECT_EQ(rss(mm), "1 1");
    EXPECT_EQ(m.zero_page().count.read(), 1);
  });
}

TEST_F(FaultTest, APrivateFilePageIsSharedUntilItIsWritten) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 1, 2, 3);
    EXPECT_EQ(read(mm, at + 16).value, file_word(1, 3, 2));
    EXPECT_FALSE(page_of(mm, at).is_anon());
    EXPECT_EQ(rss(mm), "1 0");
    write(mm, at, 9);
    EXPECT_TRUE(page_of(mm, at).is_anon());
    EXPECT_EQ(read(mm, at).value, 9u);
    EXPECT_EQ(read(mm, at + 16).value, file_word(1, 3, 2)) << "the rest was copied";
    EXPECT_EQ(rss(mm), "1 1");
    EXPECT_EQ(mark_count(Mark::kCowCopy), 1u);
    truncate_inode_pages(m, m.file(1));
  });
}

TEST_F(FaultTest, AFirstWriteToAFilePageCopiesAtOnce) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 0, 1);
    const UserResult result = user_access(m, mm, 0, at, UserAccess::kWrite, 9);
    EXPECT_EQ(result.faults, 1);
    EXPECT_EQ(rss(mm), "1 1");
    truncate_inode_pages(m, m.file(0));
  });
}

TEST_F(FaultTest, BehindTheEndOfTheFileIsABusError) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 0, 2, m.file(0).size - 1);
    EXPECT_EQ(read(mm, at).status, Status::kOk);
    EXPECT_EQ(read(mm, page_at(at, 1)).status, Status::kBusError);
    unmap(mm, at, 2);
    truncate_inode_pages(m, m.file(0));
  });
}

TEST_F(FaultTest, SharedMemoryIsOnePageForParentAndChild) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1, kRw | kVmShared);
    write(mm, at, 1);
    Mm& child = **dup_mm(m, mm);
    write(child, at, 2);
    EXPECT_EQ(read(mm, at).value, 2u);
    EXPECT_EQ(page_of(mm, at).mapcount.load(), 1);
    EXPECT_EQ(rss(mm), "1 0");
    mmput(m, child);
  });
}

TEST_F(FaultTest, TheLastSharerWritesInPlace) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 1);
    const Pfn before = pte(mm, at).pfn();
    Mm& child = **dup_mm(m, mm);
    mmput(m, child);
    write(mm, at, 2);
    EXPECT_EQ(pte(mm, at).pfn(), before);
    EXPECT_EQ(mark_count(Mark::kCowReuse), 1u);
    EXPECT_EQ(mark_count(Mark::kCowCopy), 0u);
  });
}

struct Denied {
  const char* name;
  std::uint32_t vm_flags;
  UserAccess access;
};

struct FaultDenied : FaultTest, testing::WithParamInterface<Denied> {};

TEST_P(FaultDenied, IsAFaultAndChangesNothing) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1, GetParam().vm_flags);
    const UserResult result = user_access(m, mm, 0, at, GetParam().access, 1);
    EXPECT_EQ(result.status, Status::kFault);
    EXPECT_TRUE(pte(mm, at).none());
  });
}

INSTANTIATE_TEST_SUITE_P(
    Accesses, FaultDenied,
    testing::Values(Denied{"WriteOfReadOnly", kVmRead, UserAccess::kWrite},
                    Denied{"AddToReadOnly", kVmRead, UserAccess::kReadModifyWrite},
                    Denied{"FetchOfData", kRw, UserAccess::kExecute},
                    Denied{"ReadOfNothing", 0, UserAccess::kRead}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(FaultTest, NoVmaIsAFault) {
  story([&](Mm& mm) {
    EXPECT_EQ(read(mm, 0x5000).status, Status::kFault);
    const VirtAddr at = map(mm, 1);
    EXPECT_EQ(read(mm, at - kPageSize).status, Status::kFault);
    EXPECT_EQ(read(mm, at + kPageSize).status, Status::kFault);
  });
}

// Each allocation of a first write fails in turn: table, table, table, anon_vma, page.
TEST_F(FaultTest, EachFailedAllocationLeavesTheAddressAsItWas) {
  for (std::uint32_t nth = 1; nth <= 5; ++nth) {
    story([&](Mm& mm) {
      const VirtAddr at = map(mm, 1);
      current()->fail_nth = nth;
      EXPECT_EQ(try_write(mm, at, 1), Status::kNoMemory) << nth;
      current()->fail_nth = 0;
      EXPECT_TRUE(pte(mm, at).none());
      EXPECT_EQ(rss(mm), "0 0");
      write(mm, at, 1);
    });
  }
}

TEST_F(FaultTest, TwoThreadsThatFaultOnePageGetOnePage) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Mm* mm = nullptr;
    VirtAddr at = 0;
    EXPECT_EQ(tell([&] {
                mm = mm_create(m);
                at = map(*mm, 1);
              }),
              "");
    run.reset();
    const auto finding =
        run_tasks(run, random_walk_seed(seed),
                  {[&] { user_access(m, *mm, 0, at, UserAccess::kWrite, 1); },
                   [&] { user_access(m, *mm, 1, at + 8, UserAccess::kWrite, 2); }});
    ASSERT_EQ(finding, std::nullopt) << finding->title;
    EXPECT_EQ(rss(*mm), "1 1");
    EXPECT_EQ(tell([&] {
                EXPECT_EQ(read(*mm, at).value, 1u);
                EXPECT_EQ(read(*mm, at + 8).value, 2u);
                mmput(m, *mm);
              }),
              "");
    expect_nothing_left();
  }
}

// Whether a fault lets another one of its process run beside it.
std::string sees(const MachineOptions& options) {
  struct Watch final : Tracepoints {
    void rmap_added(const Page&, const Vma& vma, VirtAddr) override {
      vma.vm_mm->mmap_sem.assert_held();
    }
  } watch;
  struct Story : MmForTest {
    using MmForTest::MmForTest;
    void TestBody() override {}
  } test(options);
  test.m.tracepoints = &watch;
  return test.tell([&] {
    Mm* const mm = mm_create(test.m);
    test.write(*mm, test.map(*mm, 1), 1);
    mmput(test.m, *mm);
  });
}

TEST(FaultKnob, AnExclusiveFaultHoldsMmapSemForWriting) {
  EXPECT_EQ(sees({.frames = 64, .period = {.exclusive_faults = true}}), "");
  EXPECT_NE(sees({.frames = 64}).find("holds it for reading"), std::string::npos);
}

}  // namespace
}  // namespace racier
