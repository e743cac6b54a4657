// core/objects/ptl_test.cc - which lock a pte has.
#include "core/objects/ptl.h"

#include <gtest/gtest.h>

#include "core/runtime/run_alone.h"

namespace racier {
namespace {

constexpr VirtAddr kFirst = 0x4000'0000;              // where a table of ptes begins
constexpr VirtAddr kSecond = kFirst + table_span(1);  // and the next
constexpr VirtAddr kNone = kSecond + table_span(1);   // behind them is none

struct PtlTest : testing::Test {
  // Tells what `body` found on a machine where an mm has two tables of ptes.
  std::string tell(bool split, FunctionRef<void(Machine&, Mm&)> body) {
    Machine m({.frames = 32, .period = {.split_ptl = split}});
    RunState run;
    m.reset(run);
    const auto finding = run_alone(run, [&] {
      Mm mm(1);
      mm.context.root = new_table(m);
      for (const VirtAddr addr : {kFirst, kSecond}) {
        for (int level; (level = missing_table(m.frames, mm.context, addr)) >= 0;) {
          install_table(m.frames, mm.context, addr, level, new_table(m));
        }
      }
      body(m, mm);
    });
    return finding ? finding->title : "";
  }
  static Pfn new_table(Machine& m) {
    const Pfn table = m.frames.alloc();
    clear_user_frame(m.frames.data(table));
    return table;
  }
};

TEST_F(PtlTest, IsOneForAllPtesOfAnMm) {
  EXPECT_EQ(tell(false,
                 [](Machine& m, Mm& mm) {
                   for (const VirtAddr addr : {kFirst, kSecond, kNone}) {
                     EXPECT_EQ(pte_lockptr(m, mm, addr), &mm.page_table_lock);
                   }
                   const PtlGuard guard(m, mm, kFirst);
                   EXPECT_TRUE(guard.slot());
                   EXPECT_TRUE(mm.page_table_lock.is_locked());
                   assert_pte_locked(m, mm, kSecond);
                 }),
            "");
}

TEST_F(PtlTest, IsOneForEachTableWhenTheyAreSplit) {
  EXPECT_EQ(tell(true,
                 [](Machine& m, Mm& mm) {
                   const SpinLock* const lock = pte_lockptr(m, mm, kFirst);
                   EXPECT_EQ(lock, pte_lockptr(m, mm, kSecond - kPageSize));
                   EXPECT_NE(lock, pte_lockptr(m, mm, kSecond));
                   EXPECT_EQ(nullptr, pte_lockptr(m, mm, kNone));
                   {
                     const PtlGuard guard(m, mm, kFirst);
                     EXPECT_TRUE(guard.slot());
                     EXPECT_TRUE(lock->is_locked());
                     EXPECT_FALSE(mm.page_table_lock.is_locked());
                     [&]() NO_THREAD_SAFETY_ANALYSIS {
                       const PtlGuard other(m, mm, kSecond, 1);
                       EXPECT_FALSE(PtlGuard(m, mm, kNone).slot());
                     }();
                   }
                   EXPECT_FALSE(lock->is_locked());
                 }),
            "");
}

TEST_F(PtlTest, TheLockOfAnotherTableIsNoLock) {
  EXPECT_EQ(tell(true,
                 [](Machine& m, Mm& mm) {
                   const PtlGuard guard(m, mm, kFirst);
                   assert_pte_locked(m, mm, kFirst);
                   assert_pte_locked(m, mm, kSecond);
                 })
                .substr(0, 35),
            "WARNING: lock is not held: pte_lock");
}

TEST_F(PtlTest, ARangeIsLockedTableByTable) {
  for (const bool split : {false, true}) {
    std::string parts;
    EXPECT_EQ(tell(split,
                   [&](Machine& m, Mm& mm) {
                     const VirtRange range{kFirst + kPageSize, kNone + kPageSize};
                     for_each_locked_table(m, mm, range, [&](VirtRange part) {
                       assert_pte_locked(m, mm, part.start);
                       parts += std::to_string((part.start - kFirst) >> kPageShift) +
                                "-" +
                                std::to_string((part.end - kFirst) >> kPageShift) + " ";
                     });
                     EXPECT_FALSE(mm.page_table_lock.is_locked());
                   }),
              "");
    EXPECT_EQ(parts, split ? "1-512 512-1024 " : "1-1025 ");
  }
}

}  // namespace
}  // namespace racier
