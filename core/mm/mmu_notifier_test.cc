// core/mm/mmu_notifier_test.cc - who is told, when, and who is not.
#include "core/mm/mmu_notifier.h"

#include <utility>

#include "core/mm/madvise.h"
#include "core/mm/mm_for_test.h"
#include "core/mm/mremap.h"
#include "core/mm/truncate.h"
#include "core/sync/interlock.h"

namespace racier {
namespace {

// A notifier that writes down what it is told.
struct Told : MmuNotifier {
  explicit Told(Mm& mm, bool sleeps = false)
      : MmuNotifier(sleeps ? kSleeping : kAtomic, mm) {}

  // Returns what was told so far, and what was since the last time.
  std::string text() {
    const InterlockGuard guard(lock_);
    return text_;
  }
  std::string take() {
    const InterlockGuard guard(lock_);
    return std::exchange(text_, "");
  }

  // Returns how a page is called in what is told.
  static std::string page_text(VirtAddr addr) {
    return pages({addr, addr + kPageSize});
  }

 private:
  static void add(MmuNotifier& notifier, const std::string& words) {
    Told& told = static_cast<Told&>(notifier);
    const InterlockGuard guard(told.lock_);
    told.text_ += words;
  }
  static std::string pages(VirtRange range) {
    return std::to_string((range.start - kBase) >> kPageShift) + "+" +
           std::to_string(range.pages()) + " ";
  }
  static void release(Machine&, MmuNotifier& to) { add(to, "release "); }
  static void start(Machine&, MmuNotifier& to, VirtRange range) {
    add(to, "start " + pages(range));
  }
  static void end(Machine&, MmuNotifier& to, VirtRange range) {
    add(to, "end " + pages(range));
  }
  static void page(Machine&, MmuNotifier& to, VirtAddr addr) {
    add(to, "page " + pages({addr, addr + kPageSize}));
  }
  static bool young(Machine&, MmuNotifier& to, VirtAddr addr) {
    add(to, "young " + pages({addr, addr + kPageSize}));
    return true;
  }
  static void change(Machine&, MmuNotifier& to, VirtAddr addr, Pte) {
    add(to, "change " + pages({addr, addr + kPageSize}));
  }
  static constexpr MmuNotifierOps kAtomic{false, &release, &start, &end,
                                          &page, &young,   &change};
  static constexpr MmuNotifierOps kSleeping{true,  &release, &start, &end,
                                            &page, &young,   &change};

  Interlock lock_;  // two may call it at once
  std::string text_ GUARDED_BY(lock_);
};

struct MmuNotifierTest : MmForTest {
  explicit MmuNotifierTest(const char* rmap = "anon_vma_spin")
      : MmForTest({.rmap = rmap, .frames = 128, .slab_pages = 32}) {}
};
struct SleepingNotifierTest : MmuNotifierTest {
  SleepingNotifierTest() : MmuNotifierTest("anon_vma_rwsem") {}
};

TEST_F(MmuNotifierTest, AreToldOfWhatChangesWhatPtesMap) {
  story([&](Mm& mm) {
    map(mm, 4, kRw, kBase);
    for (std::uint64_t page = 0; page < 4; ++page) write(mm, page_at(kBase, page), 1);
    Told told(mm);
    ASSERT_EQ(mmu_notifier_register(m, told), Status::kOk);
    protect(mm, kBase, 2, kVmRead);
    EXPECT_EQ(told.take(), "start 0+2 end 0+2 ");
    protect(mm, kBase, 2, kRw);
    EXPECT_EQ(told.take(), "start 0+2 end 0+2 ");
    Mm* const child = *dup_mm(m, mm);
    EXPECT_EQ(told.take(), "start 0+4 end 0+4 ");
    write(mm, kBase, 2);
    EXPECT_EQ(told.take(), "start 0+1 change 0+1 end 0+1 ");
    mmput(m, *child);
    EXPECT_EQ(told.take(), "") << "that was not this mm";
    write(mm, page_at(kBase, 1), 2);
    EXPECT_EQ(told.take(), "") << "the page is its own: it maps the same";
    unmap_everywhere(page_of(mm, page_at(kBase, 1)));
    EXPECT_EQ(told.take(), "page 1+1 ");
    page_referenced(m, page_of(mm, kBase));
    EXPECT_EQ(told.take(), "young 0+1 ");
    unmap(mm, page_at(kBase, 1), 2);
    EXPECT_EQ(told.take(), "start 1+2 end 1+2 ");
    mmu_notifier_unregister(m, told);
    EXPECT_EQ(told.take(), "release ");
    unmap(mm, kBase, 1);
    EXPECT_EQ(told.take(), "");
  });
}

TEST_F(MmuNotifierTest, AreToldOfWhatMovesAndOfWhatIsThrownAway) {
  story([&](Mm& mm) {
    map(mm, 4, kRw, kBase);
    for (std::uint64_t page = 0; page < 4; ++page) write(mm, page_at(kBase, page), 1);
    Told told(mm);
    ASSERT_EQ(mmu_notifier_register(m, told), Status::kOk);
    ASSERT_EQ(do_madvise(m, mm, {kBase, page_at(kBase, 1)}, Advice::kFree),
              Status::kOk);
    EXPECT_EQ(told.take(), "start 0+1 end 0+1 ");
    ASSERT_EQ(do_madvise(m, mm, {kBase, page_at(kBase, 1)}, Advice::kDontneed),
              Status::kOk);
    EXPECT_EQ(told.take(), "start 0+1 end 0+1 ");
    ASSERT_EQ(
        do_madvise(m, mm, {page_at(kBase, 1), page_at(kBase, 2)}, Advice::kPageout),
        Status::kOk);
    EXPECT_EQ(told.take(), "young 1+1 young 1+1 ") << "it was used";
    ASSERT_TRUE(do_mremap(
        m, mm,
        {.addr = page_at(kBase, 1), .old_pages = 2, .new_pages = 3, .may_move = true}));
    EXPECT_EQ(told.take(), "start 1+2 end 1+2 start 1+2 end 1+2 ")
        << "they move, and what is left is unmapped";
    mmu_notifier_unregister(m, told);
  });
}

TEST_F(MmuNotifierTest, TheLastUserReleasesAndUnregisterMayFollow) {
  EXPECT_EQ(tell([&] {
              Mm* const mm = mm_create(m);
              map(*mm, 1, kRw, kBase);
              write(*mm, kBase, 1);
              Told first(*mm);
              Told second(*mm);
              ASSERT_EQ(mmu_notifier_register(m, first), Status::kOk);
              ASSERT_EQ(mmu_notifier_register(m, second), Status::kOk);
              mmput(m, *mm);
              EXPECT_EQ(first.take(), "release ") << "and nothing of the pages";
              EXPECT_EQ(second.take(), "release ");
              mmu_notifier_unregister(m, first);
              mmu_notifier_unregister(m, second);
            }),
            "");
  expect_nothing_left();
}

TEST_F(MmuNotifierTest, OneInTheMiddleLeavesTheOthers) {
  story([&](Mm& mm) {
    map(mm, 1, kRw, kBase);
    Told told[3] = {Told(mm), Told(mm), Told(mm)};
    for (Told& one : told) {
      ASSERT_EQ(mmu_notifier_register(m, one), Status::kOk);
    }
    mmu_notifier_unregister(m, told[1]);
    EXPECT_EQ(told[1].take(), "release ");
    protect(mm, kBase, 1, kVmRead);
    EXPECT_EQ(told[0].take(), "start 0+1 end 0+1 ");
    EXPECT_EQ(told[1].take(), "");
    EXPECT_EQ(told[2].take(), "start 0+1 end 0+1 ");
    mmu_notifier_unregister(m, told[2]);
    mmu_notifier_unregister(m, told[0]);
  });
}

TEST_F(MmuNotifierTest, OneThatSleepsIsRefusedWhereWalksMustNot) {
  story([&](Mm& mm) {
    Told told(mm, true);
    EXPECT_EQ(mmu_notifier_register(m, told), Status::kInvalid);
    EXPECT_FALSE(mm.notifiers.any());
  });
}

TEST_F(SleepingNotifierTest, IsToldWhereItMaySleep) {
  story([&](Mm& mm) {
    map(mm, 2, kRw, kBase);
    write(mm, kBase, 1);
    Told told(mm, true);
    ASSERT_EQ(mmu_notifier_register(m, told), Status::kOk);
    EXPECT_TRUE(mm_has_sleeping_notifiers(m, mm));
    page_referenced(m, page_of(mm, kBase));
    EXPECT_EQ(told.take(), "") << "under the lock of a pte";
    unmap_everywhere(page_of(mm, kBase));
    EXPECT_EQ(told.take(), "page 0+1 ");
    protect(mm, kBase, 1, kVmRead);
    EXPECT_EQ(told.take(), "start 0+1 end 0+1 ");
    mmu_notifier_unregister(m, told);
    EXPECT_FALSE(mm_has_sleeping_notifiers(m, mm));
  });
}

TEST_F(MmuNotifierTest, TruncationTellsOfItsPages) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 0, 2, 0, kRw);
    EXPECT_TRUE(read(mm, at).value == file_word(0, 0, 0));
    Told told(mm);
    ASSERT_EQ(mmu_notifier_register(m, told), Status::kOk);
    EXPECT_EQ(do_truncate(m, m.file(0), 1), Status::kOk);
    const std::string page = told.page_text(page_at(at, 1));
    const std::string once = "start " + page + "end " + page;
    EXPECT_EQ(told.take(), once + once) << "before and after the pages go";
    mmu_notifier_unregister(m, told);
    EXPECT_EQ(do_truncate(m, m.file(0), 0), Status::kOk);
  });
}

TEST_F(MmuNotifierTest, AllLocksAreThoseOfTheFiles) {
  story([&](Mm& mm) {
    map_file(mm, 1, 1);
    map_file(mm, 0, 1);
    map_file(mm, 1, 1);
    const WriteGuard guard(mm.mmap_sem);
    {
      const MmAllLocks locks(mm);
      EXPECT_TRUE(locks);
      EXPECT_TRUE(m.file(0).i_mmap_lock.is_locked());
      EXPECT_TRUE(m.file(1).i_mmap_lock.is_locked());
    }
    EXPECT_FALSE(m.file(0).i_mmap_lock.is_locked());
    EXPECT_FALSE(m.file(1).i_mmap_lock.is_locked());
  });
}

TEST_F(MmuNotifierTest, OfTooManyFilesNoneIsLocked) {
  story([&](Mm& mm) {
    for (std::size_t i = 0; i <= MmAllLocks::kFilesMax; ++i) {
      map(mm, 1, kRw | kVmShared);
    }
    Told told(mm);
    EXPECT_EQ(mmu_notifier_register(m, told), Status::kNoMemory);
    EXPECT_FALSE(mm.notifiers.any());
  });
}

// (Under a spinlock.)
TEST_F(SleepingNotifierTest, IsNotToldOfTruncation) {
  story([&](Mm& mm) {
    const VirtAddr at = map_file(mm, 0, 2, 0, kRw);
    EXPECT_TRUE(read(mm, at).value == file_word(0, 0, 0));
    Told told(mm, true);
    ASSERT_EQ(mmu_notifier_register(m, told), Status::kOk);
    EXPECT_EQ(do_truncate(m, m.file(0), 0), Status::kOk);
    EXPECT_EQ(told.take(), "");
    mmu_notifier_unregister(m, told);
  });
}

// Who unregisters a notifier may free it, whoever is about to call it.
TEST_F(MmuNotifierTest, NoCallbackIsLateWhenItIsUnregistered) {
  int met = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Mm& mm = anew([&](Mm& mm) { map(mm, 1, kRw, kBase); });
    Told told(mm);
    EXPECT_EQ(
        run_alone(run, [&] { EXPECT_EQ(mmu_notifier_register(m, told), Status::kOk); }),
        std::nullopt);
    std::string told_by_then;
    const auto changes = [&] { protect(mm, kBase, 1, kVmRead); };
    const auto unregisters = [&] {
      mmu_notifier_unregister(m, told);
      told_by_then = told.text();
    };
    run.reset();
    EXPECT_EQ(run_tasks(run, random_walk_seed(seed), {changes, unregisters}),
              std::nullopt);
    EXPECT_EQ(told.text(), told_by_then) << seed;
    met += told.text().starts_with("start") ? 1 : 0;
    end(mm);
  }
  EXPECT_GT(met, 0);
}

}  // namespace
}  // namespace racier
