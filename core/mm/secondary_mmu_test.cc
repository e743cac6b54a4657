// core/mm/secondary_mmu_test.cc - a device sees what the process sees.
#include "core/mm/secondary_mmu.h"

#include "core/mm/madvise.h"
#include "core/mm/mm_for_test.h"
#include "core/mm/reclaim.h"

namespace racier {
namespace {

struct SecondaryMmuTest : MmForTest {
  explicit SecondaryMmuTest(const char* rmap = "anon_vma_spin")
      : MmForTest({.rmap = rmap, .frames = 128, .slab_pages = 32}) {}

  SecondaryMmu& create(Mm& mm, bool sleeps = false) {
    const Result<SecondaryMmu*> mmu = secondary_mmu_create(m, mm, sleeps);
    require(mmu.ok(), "there is memory for it");
    return **mmu;
  }
  void destroy(SecondaryMmu& mmu) {
    secondary_mmu_unregister(m, mmu);
    secondary_mmu_put(m, mmu);
  }
  std::uint64_t load(SecondaryMmu& mmu, VirtAddr addr) {
    const Result<std::uint64_t> value = secondary_read(m, mmu, addr);
    EXPECT_TRUE(value.ok()) << status_name(value.status());
    return value.ok() ? *value : ~0ull;
  }
  void store(SecondaryMmu& mmu, VirtAddr addr, std::uint64_t value) {
    EXPECT_EQ(secondary_write(m, mmu, addr, value).status(), Status::kOk);
  }
  // The first time it is spared, as it was used lately.
  void reclaim_used_page(Page& page) {
    for (int i = 0; i < 2; ++i) {
      get_page(page);
      reclaim_page(m, page);
    }
  }
  SecondaryMmu::Entry entry(SecondaryMmu& mmu, VirtAddr addr) {
    const SecondaryGuard guard(mmu.lock);
    return mmu.entries[(addr >> kPageShift) % SecondaryMmu::kEntries];
  }
};

struct SleepingSecondaryMmuTest : SecondaryMmuTest {
  SleepingSecondaryMmuTest() : SecondaryMmuTest("anon_vma_rwsem") {}
};

TEST_F(SecondaryMmuTest, SharesThePagesOfTheProcess) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    SecondaryMmu& mmu = create(mm);
    EXPECT_EQ(load(mmu, kBase), 0u);
    write(mm, kBase, 1);
    EXPECT_EQ(load(mmu, kBase), 1u);
    store(mmu, kBase + 8, 2);
    EXPECT_EQ(read(mm, kBase + 8).value, 2u);
    EXPECT_EQ(secondary_read(m, mmu, page_at(kBase, 2)).status(), Status::kFault);
    destroy(mmu);
  });
}

TEST_F(SecondaryMmuTest, KeepsNoReferenceToAPage) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    SecondaryMmu& mmu = create(mm);
    store(mmu, kBase, 1);
    EXPECT_EQ(page_of(mm, kBase).count.read(), 1);
    EXPECT_TRUE(entry(mmu, kBase).writable);
    destroy(mmu);
  });
}

TEST_F(SecondaryMmuTest, WhatItReadItMayNotWrite) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    write(mm, kBase, 1);
    Mm* const child = *dup_mm(m, mm);
    SecondaryMmu& mmu = create(mm);
    EXPECT_EQ(load(mmu, kBase), 1u);
    EXPECT_FALSE(entry(mmu, kBase).writable);
    store(mmu, kBase, 2);
    EXPECT_EQ(read(*child, kBase).value, 1u);
    EXPECT_EQ(read(mm, kBase).value, 2u);
    mmput(m, *child);
    destroy(mmu);
  });
}

TEST_F(SecondaryMmuTest, ForgetsWhatWasUnmappedAndNothingElse) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    SecondaryMmu& mmu = create(mm);
    store(mmu, kBase, 1);
    store(mmu, page_at(kBase, 1), 2);
    unmap(mm, kBase, 1);
    EXPECT_EQ(entry(mmu, kBase).addr, kUserEnd);
    EXPECT_EQ(entry(mmu, page_at(kBase, 1)).addr, page_at(kBase, 1));
    EXPECT_EQ(secondary_read(m, mmu, kBase).status(), Status::kFault);
    destroy(mmu);
  });
}

// A page that its process has called free is in use again when a device stores to it.
TEST_F(SecondaryMmuTest, TellsThePageWhatItHasStored) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    write(mm, kBase, 1);
    SecondaryMmu& mmu = create(mm);
    ASSERT_EQ(do_madvise(m, mm, {kBase, page_at(kBase, 1)}, Advice::kFree),
              Status::kOk);
    store(mmu, kBase, 2);
    EXPECT_FALSE(page_of(mm, kBase).test(PageFlag::kDirty));
    reclaim_used_page(page_of(mm, kBase));
    EXPECT_EQ(read(mm, kBase).value, 2u);
    destroy(mmu);
  });
}

// Of one whose notifier sleeps nobody knows, and so the page is kept.
TEST_F(SleepingSecondaryMmuTest, KeepsWhatMayBeDroppedFromBeingDropped) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    write(mm, kBase, 1);
    SecondaryMmu& mmu = create(mm, true);
    ASSERT_EQ(do_madvise(m, mm, {kBase, page_at(kBase, 1)}, Advice::kFree),
              Status::kOk);
    store(mmu, kBase, 2);
    reclaim_used_page(page_of(mm, kBase));
    EXPECT_EQ(read(mm, kBase).value, 2u);
    destroy(mmu);
  });
}

TEST_F(SecondaryMmuTest, IsAskedWhetherAPageIsUsed) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    write(mm, kBase, 1);
    SecondaryMmu& mmu = create(mm);
    EXPECT_EQ(load(mmu, kBase), 1u);
    Page& page = page_of(mm, kBase);
    page_referenced(m, page);
    EXPECT_EQ(page_referenced(m, page), 0);
    EXPECT_EQ(load(mmu, kBase), 1u);
    EXPECT_EQ(page_referenced(m, page), 1);
    destroy(mmu);
  });
}

TEST_F(SecondaryMmuTest, APlaceIsForTheLastPageThatNeededIt) {
  story([&](Mm& mm) {
    map(mm, SecondaryMmu::kEntries + 1, kRw, kBase);
    SecondaryMmu& mmu = create(mm);
    const VirtAddr other = page_at(kBase, SecondaryMmu::kEntries);
    store(mmu, kBase, 1);
    store(mmu, other, 2);
    EXPECT_EQ(entry(mmu, kBase).addr, other);
    EXPECT_EQ(load(mmu, kBase), 1u);
    EXPECT_EQ(load(mmu, other), 2u);
    destroy(mmu);
  });
}

TEST_F(SecondaryMmuTest, TranslatesNothingWhenItIsUnregisteredOrTheProcessHasEnded) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    SecondaryMmu& mmu = create(mm);
    store(mmu, kBase, 1);
    mmu.refs.inc();
    destroy(mmu);
    EXPECT_EQ(secondary_read(m, mmu, kBase).status(), Status::kFault);
    secondary_mmu_put(m, mmu);
  });
  EXPECT_EQ(tell([&] {
              Mm* const mm = mm_create(m);
              map(*mm, 1, kRw, kBase);
              SecondaryMmu& mmu = create(*mm);
              store(mmu, kBase, 1);
              mmput(m, *mm);
              EXPECT_EQ(secondary_read(m, mmu, kBase).status(), Status::kFault);
              destroy(mmu);
            }),
            "");
  expect_nothing_left();
}

TEST_F(SecondaryMmuTest, NoMemoryLeavesNothing) {
  story([&](Mm& mm) {
    current()->fail_nth = 1;
    EXPECT_EQ(secondary_mmu_create(m, mm, false).status(), Status::kNoMemory);
    EXPECT_EQ(mm.mm_count.read(), 1);
  });
}

// Reclaim takes the page away while a device looks for it.
TEST_F(SecondaryMmuTest, LooksAgainWhenSomethingWasInvalidated) {
  std::uint32_t retried = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SecondaryMmu* mmu = nullptr;
    Mm& mm = anew([&](Mm& mm) {
      map(mm, 1, kRw, kBase);
      write(mm, kBase, 1);
      mmu = &create(mm);
    });
    const auto reads = [&] { static_cast<void>(secondary_read(m, *mmu, kBase)); };
    const auto unmaps = [&] { unmap_everywhere(page_of(mm, kBase)); };
    run.reset();
    EXPECT_EQ(run_tasks(run, random_walk_seed(seed), {reads, unmaps}), std::nullopt);
    retried += count(Mark::kSecondaryRetried);
    EXPECT_EQ(run_alone(run,
                        [&] {
                          EXPECT_EQ(load(*mmu, kBase), 1u) << seed;
                          destroy(*mmu);
                        }),
              std::nullopt);
    end(mm);
  }
  EXPECT_GT(retried, 0u);
}

}  // namespace
}  // namespace racier
