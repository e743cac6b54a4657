// core/mm/gup_test.cc - pages that are used behind their owner's back.
#include "core/mm/gup.h"

#include "core/mm/mm_for_test.h"
#include "core/mm/swap.h"

namespace racier {
namespace {

class GetUserPage : public MmForTest {
 protected:
  PinnedPage pin(Mm& mm, VirtAddr addr, Gup gup) {
    const Result<PinnedPage> pinned = get_user_page(m, mm, addr, gup);
    EXPECT_TRUE(pinned.ok()) << status_name(pinned.status());
    return *pinned;
  }
};

TEST_F(GetUserPage, FaultsInWhatIsNotThere) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2);
    const PinnedPage read = pin(mm, at, Gup::kRead);
    EXPECT_TRUE(m.is_zero_page(read.page->pfn));
    const PinnedPage written = pin(mm, page_at(at, 1), Gup::kWrite);
    EXPECT_EQ(written.page, &page_of(mm, page_at(at, 1)));
    EXPECT_EQ(written.page->count.read(), 2);
    store_pinned(m, written, 16, 7);
    EXPECT_EQ(this->read(mm, page_at(at, 1) + 16).value, 7u);
    EXPECT_TRUE(written.page->test(PageFlag::kDirty));
    put_user_page(m, read);
    put_user_page(m, written);
  });
}

TEST_F(GetUserPage, ToBeWrittenItIsTheMmsOwn) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Mm& child = *dup_mm(m, mm).value();
    const PinnedPage read = pin(child, at, Gup::kRead);
    const PinnedPage written = pin(mm, at, Gup::kWrite);
    EXPECT_NE(read.page, written.page);
    store_pinned(m, written, 0, 6);
    EXPECT_EQ(load_pinned(m, read, 0), 5u);
    EXPECT_EQ(this->read(mm, at).value, 6u);
    EXPECT_EQ(this->read(child, at).value, 5u);
    put_user_page(m, read);
    put_user_page(m, written);
    mmput(m, child);
  });
}

TEST_F(GetUserPage, OutlivesTheMapping) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    const PinnedPage pinned = pin(mm, at, Gup::kWrite);
    unmap(mm, at, 1);
    EXPECT_EQ(load_pinned(m, pinned, 0), 5u);
    EXPECT_EQ(pinned.page->count.read(), 1);
    put_user_page(m, pinned);
  });
}

TEST_F(GetUserPage, RefusesWhatTheVmaForbids) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2, kVmRead);
    protect(mm, page_at(at, 1), 1, 0);
    const auto status = [&](std::uint64_t page, Gup gup) {
      const Result<PinnedPage> pinned = get_user_page(m, mm, page_at(at, page), gup);
      if (pinned) put_user_page(m, *pinned);
      return pinned.status();
    };
    EXPECT_EQ(status(0, Gup::kRead), Status::kOk);
    EXPECT_EQ(status(0, Gup::kWrite), Status::kFault);
    EXPECT_EQ(status(1, Gup::kRead), Status::kFault);
    EXPECT_EQ(status(1, Gup::kForceRead), Status::kOk);
    EXPECT_EQ(status(2, Gup::kForceRead), Status::kFault);
    const VirtAddr file = map_file(mm, 0, 1, 100, kVmRead);
    EXPECT_EQ(get_user_page(m, mm, file, Gup::kRead).status(), Status::kBusError);
  });
}

TEST_F(GetUserPage, WithoutMemoryThereIsNone) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    current()->fail_nth = 1;
    EXPECT_EQ(get_user_page(m, mm, at, Gup::kWrite).status(), Status::kNoMemory);
    current()->fail_nth = 0;
  });
}

TEST_F(GetUserPage, ADebuggerReadsAndWrites) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    EXPECT_EQ(*read_process_vm(m, mm, at + 8), 0u);
    EXPECT_EQ(write_process_vm(m, mm, at + 8, 5), Status::kOk);
    EXPECT_EQ(read(mm, at + 8).value, 5u);
    protect(mm, at, 1, 0);
    EXPECT_EQ(*read_process_vm(m, mm, at + 8), 5u);
    EXPECT_EQ(write_process_vm(m, mm, at + 8, 6), Status::kFault);
    EXPECT_EQ(read_process_vm(m, mm, at + kPageSize).status(), Status::kFault);
  });
}

}  // namespace
}  // namespace racier
