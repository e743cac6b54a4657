// core/mm/swapoff_test.cc - swapoff finds everybody, and says when it cannot.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "core/mm/mm_for_test.h"
#include "core/mm/reclaim.h"
#include "core/mm/swap.h"
#include "core/mm/swapon.h"

namespace racier {
namespace {

struct Swapoff : MmForTest {
  explicit Swapoff(const MachineOptions& options = {.frames = 128,
                                                    .slab_pages = 32,
                                                    .swap_slots = 16,
                                                    .swap_map_max = 4})
      : MmForTest(options) {}
  SwapArea& area = *m.swap.info[0];

  // Takes the page at `addr` away from everybody, and writes it to its slot.
  void swap_out(Mm& mm, VirtAddr addr) {
    Page& page = page_of(mm, addr);
    get_page(page);
    lock_page(m, page);
    EXPECT_TRUE(give_slot(m, page));
    EXPECT_EQ(try_to_unmap(m, page, Ttu::kForce), Unmap::kSuccess);
    EXPECT_TRUE(swap_writepage(m, page));
    EXPECT_TRUE(remove_clean_swap_page(m, page));
    unlock_page(m, page);
    put_page(m, page);
  }
  // Likewise, of shared memory.
  void swap_out_shared(Mm& mm, VirtAddr addr) {
    Page& page = page_of(mm, addr);
    get_page(page);
    lock_page(m, page);
    EXPECT_EQ(try_to_unmap(m, page, Ttu::kForce), Unmap::kSuccess);
    EXPECT_TRUE(move_to_swap_cache(m, page));
    unlock_page(m, page);
    put_page(m, page);
  }
  std::uint32_t in_use() NO_THREAD_SAFETY_ANALYSIS { return area.inuse_pages; }
};

TEST_F(Swapoff, MapsWhatWasAwayForWhoeverHasIt) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2);
    write(mm, at, 5);
    write(mm, at + kPageSize, 6);
    swap_out(mm, at);
    swap_out(mm, at + kPageSize);
    Mm* const child = *dup_mm(m, mm);
    EXPECT_EQ(in_use(), 2u);
    EXPECT_EQ(do_swapoff(m, 0), Status::kOk);
    EXPECT_EQ(in_use(), 0u);
    EXPECT_EQ(&page_of(mm, at), &page_of(*child, at)) << "they share it";
    EXPECT_FALSE(pte(mm, at).writable());
    EXPECT_EQ(static_cast<std::int64_t>(mm.anon_rss), 2);
    EXPECT_TRUE(page_of(mm, at).test(PageFlag::kDirty));
    EXPECT_FALSE(page_of(mm, at).test(PageFlag::kSwapCache));
    write(*child, at, 7);
    EXPECT_EQ(read(mm, at).value, 5u);
    mmput(m, *child);
  });
}

TEST_F(Swapoff, PutsSharedMemoryBackInItsFile) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 2, kRw | kVmShared);
    write(mm, at, 5);
    write(mm, at + kPageSize, 6);
    swap_out_shared(mm, at + kPageSize);
    EXPECT_EQ(do_swapoff(m, 0), Status::kOk);
    EXPECT_EQ(in_use(), 0u);
    EXPECT_EQ(read(mm, at + kPageSize).value, 6u);
  });
}

TEST_F(Swapoff, GivesUpACountThatIsStuck) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    swap_out(mm, at);
    std::vector<Mm*> children;
    for (int i = 0; i < 5; ++i) children.push_back(*dup_mm(m, mm));
    EXPECT_EQ(swap_count(m, {1}), 4) << "stuck";
    mmput(m, *children.back());
    children.pop_back();
    EXPECT_EQ(do_swapoff(m, 0), Status::kOk);
    for (Mm* const child : children) {
      EXPECT_EQ(read(*child, at).value, 5u);
      mmput(m, *child);
    }
  });
}

TEST_F(Swapoff, WithoutMemoryTheAreaStaysInUse) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    swap_out(mm, at);
    current()->fail_nth = 1;
    EXPECT_EQ(do_swapoff(m, 0), Status::kNoMemory);
    current()->fail_nth = 0;
    EXPECT_EQ(get_swap_page(m), SwapEntry{2}) << "it hands out slots";
    swap_free(m, {2});
    EXPECT_EQ(do_swapoff(m, 0), Status::kOk);
    EXPECT_EQ(read(mm, at).value, 5u);
  });
}

TEST_F(Swapoff, ASignalEndsIt) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    swap_out(mm, at);
    current()->signal_pending.store(true);
    EXPECT_EQ(do_swapoff(m, 0), Status::kInterrupted);
    EXPECT_FALSE(current()->signal_pending.load());
    EXPECT_EQ(in_use(), 1u);
    EXPECT_EQ(do_swapoff(m, 0), Status::kOk);
  });
}

TEST_F(Swapoff, AFileThatCannotBeReadIsOneMansLoss) {
  story([&](Mm& mm) {
    Mm* const other = mm_create(m);
    const VirtAddr at = map(mm, 2);
    const VirtAddr there = map(*other, 1);
    write(mm, at, 5);
    write(mm, at + kPageSize, 6);
    write(*other, there, 7);
    swap_out(*other, there);
    swap_out(mm, at);
    // The second slot of the two is behind the end now.
    ASSERT_EQ(ftruncate(area.file.fd(), 2 * kPageSize), 0);
    EXPECT_EQ(read(mm, at).status, Status::kBusError);
    EXPECT_EQ(read(mm, at).status, Status::kBusError) << "and again";
    EXPECT_EQ(read(mm, at + kPageSize).value, 6u);
    EXPECT_EQ(do_swapoff(m, 0), Status::kIo);
    EXPECT_EQ(read(*other, there).value, 7u);
    unmap(mm, at, 1);
    EXPECT_EQ(do_swapoff(m, 0), Status::kOk);
    mmput(m, *other);
  });
}

TEST_F(Swapoff, APageThatCannotBeWrittenStaysDirtyAndInPlace) {
  story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    write(mm, at, 5);
    Page& page = page_of(mm, at);
    get_page(page);
    lock_page(m, page);
    EXPECT_TRUE(give_slot(m, page));
    EXPECT_EQ(try_to_unmap(m, page, Ttu::kForce), Unmap::kSuccess);
    const int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    const int kept = dup(area.file.fd());
    dup2(full, area.file.fd());
    EXPECT_FALSE(swap_writepage(m, page));
    EXPECT_TRUE(page.test(PageFlag::kDirty));
    EXPECT_FALSE(remove_clean_swap_page(m, page));
    dup2(kept, area.file.fd());
    close(full);
    close(kept);
    unlock_page(m, page);
    put_page(m, page);
    EXPECT_EQ(read(mm, at).value, 5u);
    EXPECT_EQ(&page_of(mm, at), &page);
  });
}

// ---- 64 MiB of swap -----------------------------------------------------------------

constexpr std::uint64_t kManyPages = 10'000;

struct LargeSwapoff : Swapoff {
  LargeSwapoff()
      : Swapoff({.frames = 12'288, .slab_pages = 512, .swap_slots = 16'384}) {}

  // Word `word` of page `page`: different for every place.
  static std::uint64_t content(std::uint64_t page, std::uint64_t word) {
    return (page << 16 | word) * 0x9e3779b97f4a7c15;
  }
  void fill(std::byte* frame, std::uint64_t page) {
    for (std::uint64_t word = 0; word < kPageSize / 8; ++word) {
      store_user_word(frame + word * 8, content(page, word));
    }
  }
  std::vector<std::byte> expected(std::uint64_t page) {
    std::vector<std::byte> bytes(kPageSize);
    fill(bytes.data(), page);
    return bytes;
  }
};

TEST_F(LargeSwapoff, BringsTenThousandPagesBackByteForByte) {
  story([&](Mm& mm) {
    const StepsOff only_task;
    const VirtAddr at = map(mm, kManyPages);
    for (std::uint64_t page = 0; page < kManyPages; ++page) {
      write(mm, page_at(at, page), 1);
      fill(m.frames.data(page_of(mm, page_at(at, page)).pfn), page);
      swap_out(mm, page_at(at, page));
    }
    EXPECT_EQ(in_use(), kManyPages);
    EXPECT_EQ(do_swapoff(m, 0), Status::kOk);
    EXPECT_EQ(in_use(), 0u);
    std::uint64_t wrong = 0;
    for (std::uint64_t page = 0; page < kManyPages; ++page) {
      const Pte now = pte(mm, page_at(at, page));
      ASSERT_TRUE(now.present());
      const std::byte* const bytes = m.frames.data(now.pfn());
      if (std::memcmp(bytes, expected(page).data(), kPageSize) != 0) ++wrong;
    }
    EXPECT_EQ(wrong, 0u);
  });
}

}  // namespace
}  // namespace racier
