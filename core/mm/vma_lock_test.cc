// core/mm/vma_lock_test.cc - who locks a vma without mmap_sem, and who waits for him.
#include "core/mm/vma_lock.h"

#include "core/base/mark.h"
#include "core/mm/find_vma.h"
#include "core/mm/lookup_for_test.h"
#include "core/mm/mremap.h"
#include "core/mm/vma_cache.h"

namespace racier {
namespace {

constexpr std::uint32_t kStack = kRw | kVmGrowsDown;

struct VmaLock : LookupForTest {
  VmaLock()
      : LookupForTest({.frames = 128,
                       .slab_pages = 64,
                       .period = {.split_ptl = true, .lookup = VmaLookup::kPerVma}}) {}

  // Returns whether a fault may do without mmap_sem.
  bool can_lock(Mm& mm, VirtAddr addr) {
    Vma* const vma = lock_vma_under_rcu(m, mm, addr);
    if (vma == nullptr) return false;
    EXPECT_TRUE(vma->contains(addr));
    EXPECT_TRUE(vma_has_readers(*vma));
    vma_end_read(*vma);
    EXPECT_FALSE(vma_has_readers(*vma));
    return true;
  }
  Vma* found(Mm& mm, VirtAddr addr) {
    const ReadGuard held(mm.mmap_sem);
    return find_vma(m, mm, addr);
  }
};

TEST_F(VmaLock, FindsTheVmaOfAnAddress) {
  story([&](Mm& mm) {
    EXPECT_FALSE(can_lock(mm, kBase));
    map_used(mm, 4);
    EXPECT_TRUE(can_lock(mm, kBase));
    EXPECT_TRUE(can_lock(mm, page_at(kBase, 3)));
    EXPECT_FALSE(can_lock(mm, page_at(kBase, 4)));
    EXPECT_FALSE(can_lock(mm, 0));
  });
}

TEST_F(VmaLock, AFaultDoesWithoutMmapSem) {
  story([&](Mm& mm) {
    map_used(mm, 4);
    EXPECT_EQ(count(Mark::kSpeculativeFault), 0u) << "an anchor may be a neighbour's";
    const ReadGuard held(mm.mmap_sem);
    EXPECT_EQ(try_write(mm, page_at(kBase, 1), 2), Status::kOk);
    EXPECT_EQ(count(Mark::kSpeculativeFault), 1u);
  });
}

// Where a table has to be made, too.
TEST_F(VmaLock, AFaultMakesTheTableThatItNeeds) {
  story([&](Mm& mm) {
    const std::uint64_t far = 512;
    map_used(mm, far + 1);
    const int before = tables(mm);
    write(mm, page_at(kBase, far), 2);
    EXPECT_EQ(count(Mark::kSpeculativeFault), 1u);
    EXPECT_EQ(tables(mm), before + 1);
  });
}

TEST_F(VmaLock, OnlyWhatIsWrittenToIsLockedAndAllOfItLetGoAtOnce) {
  story([&](Mm& mm) {
    map_used(mm, 2);
    map(mm, 2, kRw, page_at(kBase, 8));
    write(mm, page_at(kBase, 8), 1);
    {
      MmapWriteGuard guard(m, mm);
      EXPECT_TRUE(can_lock(mm, kBase)) << "mmap_sem alone keeps nobody away";
      vma_start_write(m, *mm.vmas.first());
      EXPECT_FALSE(can_lock(mm, kBase));
      EXPECT_TRUE(can_lock(mm, page_at(kBase, 8)));
      guard.downgrade();
      EXPECT_TRUE(can_lock(mm, kBase));
    }
    EXPECT_TRUE(can_lock(mm, kBase));
  });
}

TEST_F(VmaLock, ADetachedVmaIsNobodys) {
  story([&](Mm& mm) {
    map_used(mm, 2);
    Vma& vma = *mm.vmas.first();
    MmapWriteGuard guard(m, mm);
    vma_start_write(m, vma);
    vma_detach(m, vma);
    EXPECT_TRUE(vma_is_detached(vma));
    EXPECT_FALSE(can_lock(mm, kBase));
    vma_attach(m, vma);
    guard.downgrade();
    EXPECT_TRUE(can_lock(mm, kBase));
  });
}

TEST_F(VmaLock, AVmaThatIsAttachedIsLocked) {
  const std::string finding = tell([&] {
    Mm* const mm = mm_create(m);
    map_used(*mm, 2);
    vma_mark_attached(*mm->vmas.first());
  });
  EXPECT_TRUE(finding.starts_with("BUG: a vma is attached")) << finding;
}

TEST_F(VmaLock, AVmaThatIsFreedIsDetached) {
  const std::string finding = tell([&] {
    Mm* const mm = mm_create(m);
    map_used(*mm, 2);
    free_vma_struct(m, *mm->vmas.first());
  });
  EXPECT_TRUE(finding.starts_with("BUG: a vma is freed")) << finding;
}

// Memory of vmas stays vmas: who has found one may look at it when it is another one.
TEST_F(VmaLock, AVmaIsReusedAtOnceAndIsNotTakenForTheOldOne) {
  story([&](Mm& mm) {
    map_used(mm, 2);
    Vma* const old = mm.vmas.first();
    unmap(mm, kBase, 2);
    EXPECT_TRUE(vma_is_detached(*old));
    map(mm, 3, kRw, page_at(kBase, 8));
    EXPECT_EQ(mm.vmas.first(), old);
    EXPECT_FALSE(can_lock(mm, kBase));
    EXPECT_FALSE(can_lock(mm, page_at(kBase, 8))) << "it has no anchor yet";
    EXPECT_EQ(old->vm_pgoff, page_at(kBase, 8) >> kPageShift);
  });
}

// Each way to change vmas leaves the two trees alike.
TEST_F(VmaLock, TheTreesAgree) {
  story([&](Mm& mm) {
    const auto agree = [&](const char* what) {
      Vma* vma = mm.vmas.first();
      mm.mm_mt.for_each([&](const MapleEntry& entry) {
        ASSERT_NE(vma, nullptr) << what;
        EXPECT_EQ(entry.vma(), vma) << what;
        EXPECT_EQ(entry.start, vma->vm_start) << what;
        EXPECT_EQ(entry.end, vma->vm_end) << what;
        EXPECT_EQ(vma->vm_refcnt.peek(), 1u) << what;
        vma = VmaTree::next(*vma);
      });
      EXPECT_EQ(vma, nullptr) << what;
    };
    map(mm, 8, kRw, kBase);
    agree("map");
    write(mm, kBase, 1);
    protect(mm, page_at(kBase, 2), 2, kVmRead);
    agree("split");
    protect(mm, page_at(kBase, 3), 1, kRw);
    agree("cut");
    protect(mm, page_at(kBase, 2), 1, kRw);
    agree("merge of three");
    EXPECT_EQ(drawn(mm, kBase, 9), "AAAAAAAA.");
    unmap(mm, page_at(kBase, 3), 2);
    agree("hole");
    map(mm, 1, kRw, page_at(kBase, 8));
    agree("merge behind");
    const MremapRequest move{.addr = kBase,
                             .old_pages = 2,
                             .new_pages = 4,
                             .may_move = true,
                             .new_addr = page_at(kBase, 32)};
    EXPECT_TRUE(do_mremap(m, mm, move).ok());
    agree("move");
    const MremapRequest grow{
        .addr = page_at(kBase, 32), .old_pages = 4, .new_pages = 6, .may_move = false};
    EXPECT_TRUE(do_mremap(m, mm, grow).ok());
    agree("grow");
    map(mm, 2, kStack, page_at(kBase, 600));
    write(mm, page_at(kBase, 596), 1);
    agree("stack");
    for (std::uint64_t i = 0; i < 40; ++i) map(mm, 1, kRw, page_at(kBase, 100 + 2 * i));
    agree("many");
    unmap(mm, page_at(kBase, 110), 50);
    agree("fewer");
    Mm* const child = *dup_mm(m, mm);
    agree("fork");
    EXPECT_EQ(found(*child, kBase), child->vmas.first());
    mmput(m, *child);
  });
}

// Each allocation that fails leaves all as it was.
TEST_F(VmaLock, WithoutMemoryForTheTreeNothingChanges) {
  story([&](Mm& mm) {
    map_used(mm, 4);
    map(mm, 1, kRw, page_at(kBase, 8));
    const Task& self = *current();
    const auto failing = [&](auto change) {
      int struck = 0;
      for (std::uint32_t nth = 1;; ++nth) {
        const std::uint32_t before = self.failures_injected;
        current()->fail_nth = nth;
        const Status status = change();
        current()->fail_nth = 0;
        if (self.failures_injected == before) return struck;
        ++struck;
        EXPECT_EQ(status, Status::kNoMemory);
        EXPECT_EQ(drawn(mm, kBase, 6), "AAAA..");
        EXPECT_EQ(found(mm, kBase), mm.vmas.first());
        EXPECT_TRUE(can_lock(mm, page_at(kBase, 3)));
      }
    };
    EXPECT_EQ(failing([&] { return try_protect(mm, kBase, 2, kVmRead); }), 2);
    protect(mm, kBase, 2, kRw);
    EXPECT_EQ(failing([&] { return try_unmap(mm, kBase, 4); }), 1);
  });
}

// Whoever has locked the vma keeps it as it is until he lets go.
TEST_F(VmaLock, WhoChangesAVmaWaitsForItsUsers) {
  expect_changes_wait([&](Mm& mm) { return lock_vma_under_rcu(m, mm, kBase); },
                      [](Vma& vma) { vma_end_read(vma); });
}

TEST_F(VmaLock, RacesWithEverybody) {
  expect_races_are_clean({Mark::kSpeculativeFault, Mark::kVmaChangedUnderLookup});
}

}  // namespace
}  // namespace racier
