// core/memory/mmu_test.cc - translations are cached, go stale, work, and are flushed;
// by the MMU in software as by that of the host.
#include "core/memory/mmu.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <vector>

#include "core/memory/host_mmu.h"
#include "core/memory/memory_for_test.h"
#include "core/memory/soft_mmu.h"
#include "core/runtime/run_alone.h"

namespace racier {
namespace {

constexpr std::uint64_t kRead = Pte::kPresent | Pte::kUser;
constexpr std::uint64_t kReadWrite = kRead | Pte::kWrite;
constexpr VirtAddr kAt = 0x7123'4567'8000;

// Outcomes of an access: what was read, or the error code behind kFault.
constexpr std::uint64_t kFault = 1ull << 63;

enum class Make { kSoft, kHost };

struct MmuTest : testing::TestWithParam<Make> {
  MemoryForTest m;
  const std::unique_ptr<Mmu> made = make();
  Mmu& mmu = *made;
  MmuContext mm = space(1);

  std::unique_ptr<Mmu> make() {
    if (GetParam() == Make::kHost) return std::make_unique<HostMmu>(m.arena, 2);
    return std::make_unique<SoftMmu>(m.arena, 2);
  }

  MmuContext space(std::uint32_t asid) { return {asid, table()}; }
  Pfn table() {
    const Pfn pfn = m.arena.alloc();
    clear_user_frame(m.arena.data(pfn));
    return pfn;
  }
  std::atomic_ref<std::uint64_t> entry(Pfn table, int index) {
    return std::atomic_ref(
        reinterpret_cast<std::uint64_t*>(m.arena.data(table))[index]);
  }
  // The pte of `addr`, as the kernel reaches it.
  std::atomic_ref<std::uint64_t> pte(const MmuContext& in, VirtAddr addr) {
    Pfn at = in.root;
    for (int level = kTableLevels - 1; level > 0; --level) {
      const auto word = entry(at, table_index(addr, level));
      if (word.load() == 0) word.store(Pte::page(table(), Pte::kPresent).bits());
      at = Pte(word.load()).pfn();
    }
    return entry(at, table_index(addr, 0));
  }
  void set(const MmuContext& in, VirtAddr addr, Pte value) {
    pte(in, addr).store(value.bits());
  }
  Pfn map(VirtAddr addr, std::uint64_t flags) {
    const Pfn pfn = table();
    set(mm, addr, Pte::page(pfn, flags));
    return pfn;
  }
  std::uint64_t access(UserAccess how, VirtAddr addr, std::uint64_t value = 0,
                       int cpu = 0) {
    PageFault fault;
    return mmu.access(cpu, mm, addr, how, value, fault) ? value
                                                        : kFault | fault.error_code;
  }
  std::uint64_t read(VirtAddr addr, int cpu = 0) {
    return access(UserAccess::kRead, addr, 0, cpu);
  }
  std::uint64_t write(VirtAddr addr, std::uint64_t value, int cpu = 0) {
    return access(UserAccess::kWrite, addr, value, cpu);
  }
  std::uint64_t add(VirtAddr addr, std::uint64_t value) {
    return access(UserAccess::kReadModifyWrite, addr, value);
  }
  std::uint64_t direct(Pfn pfn, std::uint64_t offset = 0) {
    return load_user_word(m.arena.data(pfn) + offset);
  }
  std::vector<TlbEntry> entries() {
    std::vector<TlbEntry> all;
    mmu.for_each_entry([&](const TlbEntry& entry) { all.push_back(entry); });
    return all;
  }
  // What `body`, the only task, comes to.
  void expect_finding(FindingKind kind, const char* title, Body body) {
    const auto finding = run_alone(m.run, body);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->kind, kind);
    EXPECT_EQ(finding->title, title);
  }
};

// ---- Tables
// ------------------------------------------------------------------------------

TEST_P(MmuTest, ReadsAndWritesTheFrameThatTheTablesName) {
  const Pfn pfn = map(kAt, kReadWrite);
  EXPECT_EQ(write(kAt + 16, 42), 42u);
  EXPECT_EQ(direct(pfn, 16), 42u);
  EXPECT_EQ(read(kAt + 16), 42u);
  EXPECT_EQ(add(kAt + 16, 8), 50u);
  EXPECT_EQ(direct(pfn, 16), 50u);
  EXPECT_EQ(access(UserAccess::kExecute, kAt + 16), 50u);
}

TEST_P(MmuTest, RefusesWithTheErrorCodeOfTheHardware) {
  map(kAt, kRead);
  map(kAt + kPageSize, Pte::kPresent | Pte::kWrite);  // the kernel's alone
  map(kAt + 2 * kPageSize, Pte::kProtNone | Pte::kUser | Pte::kWrite);
  set(mm, kAt + 3 * kPageSize, Pte::swap({7}));
  const auto user = kFault | PageFault::kUser;
  EXPECT_EQ(write(kAt, 1), user | PageFault::kWrite | PageFault::kPresent);
  EXPECT_EQ(add(kAt, 1), user | PageFault::kWrite | PageFault::kPresent);
  EXPECT_EQ(read(kAt + kPageSize), user | PageFault::kPresent);
  EXPECT_EQ(read(kAt + 2 * kPageSize), user);
  EXPECT_EQ(write(kAt + 3 * kPageSize, 1), user | PageFault::kWrite);
  EXPECT_EQ(read(kAt + 4 * kPageSize), user);  // no pte
  EXPECT_EQ(read(0x1000), user);               // no table
  EXPECT_EQ(read(kUserEnd), user);             // no user address
  EXPECT_EQ(access(UserAccess::kExecute, 0x1000), user | PageFault::kExecute);
  EXPECT_TRUE(entries().empty());
}

TEST_P(MmuTest, MarksPtesAccessedAndDirty) {
  map(kAt, kReadWrite);
  read(kAt);
  EXPECT_TRUE(Pte(pte(mm, kAt)).young());
  EXPECT_FALSE(Pte(pte(mm, kAt)).dirty());
  write(kAt, 1);
  EXPECT_TRUE(Pte(pte(mm, kAt)).dirty());
}

TEST_P(MmuTest, ARefusedAccessLeavesNoMark) {
  map(kAt, kRead);
  write(kAt, 1);
  EXPECT_EQ(pte(mm, kAt).load() & (Pte::kAccessed | Pte::kDirty), 0u);
}

// ---- The TLB
// ----------------------------------------------------------------------------

TEST_P(MmuTest, AStaleTranslationWorksUntilItIsFlushed) {
  const Pfn old = map(kAt, kReadWrite);
  write(kAt, 1);
  const Pfn fresh = map(kAt, kReadWrite);
  EXPECT_EQ(write(kAt, 2), 2u);
  EXPECT_EQ(direct(old), 2u);
  EXPECT_EQ(direct(fresh), 0u);
  mmu.flush_page(mm, kAt + 8);
  EXPECT_EQ(read(kAt), 0u);
  write(kAt, 3);
  EXPECT_EQ(direct(fresh), 3u);
}

TEST_P(MmuTest, AStaleTranslationKeepsItsRights) {
  const Pfn pfn = map(kAt, kReadWrite);
  write(kAt, 1);
  set(mm, kAt, Pte::page(pfn, kRead));
  EXPECT_EQ(write(kAt, 2), 2u);
  set(mm, kAt, Pte());
  EXPECT_EQ(read(kAt), 2u);
  mmu.flush_range(mm, {kAt, kAt + kPageSize});
  EXPECT_NE(read(kAt) & kFault, 0u);
}

// The accessed bit is set when a translation is cached, and not again: clearing it
// without a flush hides later accesses, as on hardware.
TEST_P(MmuTest, ACachedTranslationMarksNothing) {
  const Pfn pfn = map(kAt, kRead);
  read(kAt);
  set(mm, kAt, Pte::page(pfn, kRead));
  read(kAt);
  EXPECT_FALSE(Pte(pte(mm, kAt)).young());
}

TEST_P(MmuTest, AFirstWriteAsksThePteAgain) {
  const Pfn pfn = map(kAt, kReadWrite);
  read(kAt);  // cached as writable, not as dirty
  set(mm, kAt, Pte::page(pfn, kRead));
  EXPECT_EQ(write(kAt, 1),
            kFault | PageFault::kUser | PageFault::kWrite | PageFault::kPresent);
  EXPECT_EQ(direct(pfn), 0u);
}

TEST_P(MmuTest, AnEntryWithoutTheRightIsWalkedBeforeAFault) {
  const Pfn pfn = map(kAt, kRead);
  read(kAt);
  set(mm, kAt, Pte::page(pfn, kReadWrite));
  EXPECT_EQ(write(kAt, 5), 5u);  // no flush is needed to give rights
  EXPECT_EQ(direct(pfn), 5u);
}

TEST_P(MmuTest, AFaultForgetsTheEntry) {
  map(kAt, kRead);
  read(kAt);
  EXPECT_EQ(entries().size(), 1u);
  write(kAt, 1);
  EXPECT_TRUE(entries().empty());
}

TEST_P(MmuTest, EachCpuCachesForItself) {
  const Pfn old = map(kAt, kReadWrite);
  write(kAt, 1, 0);
  const Pfn fresh = map(kAt, kReadWrite);
  write(kAt, 2, 1);
  EXPECT_EQ(direct(old), 1u);
  EXPECT_EQ(direct(fresh), 2u);
  EXPECT_EQ(read(kAt, 0), 1u);
  mmu.flush_mm(mm);
  EXPECT_EQ(read(kAt, 0), 2u);
}

TEST_P(MmuTest, OnlyTheCpusOfAFlushForget) {
  const Pfn old = map(kAt, kReadWrite);
  write(kAt, 1, 0);
  write(kAt, 1, 1);
  map(kAt, kReadWrite);
  mmu.flush_page(mm, kAt, CpuSet{1} << 1);
  write(kAt, 2, 0);
  write(kAt, 3, 1);
  EXPECT_EQ(direct(old), 2u);
  EXPECT_EQ(read(kAt, 1), 3u);
}

TEST_P(MmuTest, AddressSpacesAreApart) {
  const Pfn pfn = map(kAt, kReadWrite);
  write(kAt, 1);
  const MmuContext other = space(2);
  const MmuContext first = mm;
  mm = other;
  EXPECT_NE(read(kAt) & kFault, 0u);
  const Pfn others = map(kAt, kReadWrite);
  write(kAt, 2);
  mm = first;
  EXPECT_EQ(read(kAt), 1u);
  mmu.flush_mm(other);
  ASSERT_EQ(entries().size(), 1u);
  EXPECT_EQ(entries()[0].asid, 1u);
  EXPECT_EQ(entries()[0].addr, kAt);
  EXPECT_EQ(entries()[0].pfn, pfn);
  EXPECT_TRUE(entries()[0].writable);
  EXPECT_EQ(direct(others), 2u);
}

TEST_P(MmuTest, TwoPagesThatShareAPlaceAreApart) {
  const VirtAddr other = kAt + 64 * kPageSize;
  const Pfn first = map(kAt, kReadWrite);
  const Pfn second = map(other, kReadWrite);
  for (std::uint64_t i = 1; i < 4; ++i) {
    write(kAt, i);
    EXPECT_EQ(entries().size(), 1u);
    write(other, 10 + i);
    EXPECT_EQ(entries().size(), 1u) << "one takes the place of the other";
    EXPECT_EQ(direct(first), i);
    EXPECT_EQ(direct(second), 10 + i);
  }
}

TEST_P(MmuTest, AFlushTakesItsRangeAndNoMore) {
  for (const std::uint64_t pages : {2ull, 100ull}) {
    mmu.reset();
    for (int i = 0; i < 4; ++i) {
      if (pte(mm, kAt + i * kPageSize).load() == 0) map(kAt + i * kPageSize, kRead);
      read(kAt + i * kPageSize);
    }
    mmu.flush_range(mm, {kAt + kPageSize, kAt + (1 + pages) * kPageSize});
    std::set<VirtAddr> left;
    for (const TlbEntry& entry : entries()) left.insert(entry.addr);
    EXPECT_EQ(left,
              pages == 2 ? (std::set{kAt, kAt + 3 * kPageSize}) : (std::set{kAt}));
  }
}

TEST_P(MmuTest, ForgetsAllOnReset) {
  map(kAt, kReadWrite);
  write(kAt, 1, 0);
  write(kAt, 1, 1);
  EXPECT_EQ(entries().size(), 2u);
  mmu.reset();
  EXPECT_TRUE(entries().empty());
}

// ---- Frames that are free
// ---------------------------------------------------------------

TEST_P(MmuTest, AStaleTranslationToAFreedFrameIsAFinding) {
  expect_finding(FindingKind::kTlb, "stale TLB entry: access to a freed frame", [&] {
    const Pfn pfn = map(kAt, kReadWrite);
    write(kAt, 1);
    set(mm, kAt, Pte());
    m.arena.free(pfn);
    read(kAt);
  });
}

TEST_P(MmuTest, AFlushBeforeTheFreeIsEnough) {
  const auto finding = run_alone(m.run, [&] {
    const Pfn pfn = map(kAt, kReadWrite);
    write(kAt, 1);
    set(mm, kAt, Pte());
    mmu.flush_page(mm, kAt);
    m.arena.free(pfn);
    EXPECT_EQ(read(kAt), kFault | PageFault::kUser);
  });
  EXPECT_FALSE(finding) << finding->title;
}

TEST_P(MmuTest, APteOfAFreedFrameIsAFinding) {
  expect_finding(FindingKind::kUseAfterFree, "page table maps a freed frame", [&] {
    m.arena.free(map(kAt, kReadWrite));
    read(kAt);
  });
}

TEST_P(MmuTest, AFreedTableIsAFinding) {
  expect_finding(FindingKind::kUseAfterFree, "page walk through a freed page table",
                 [&] {
                   map(kAt, kReadWrite);
                   m.arena.free(Pte(entry(mm.root, table_index(kAt, 3)).load()).pfn());
                   read(kAt);
                 });
}

// ---- Tasks
// -------------------------------------------------------------------------------

// Whoever unmaps, flushes and then frees may meet an access at any moment between its
// announcement and its end: it works, or it faults, and it is never a finding.
TEST_P(MmuTest, AnOrderlyUnmapIsNeverAFinding) {
  int faults = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    m.reset();
    mmu.reset();
    mm = space(1);
    const Pfn pfn = map(kAt, kReadWrite);
    const auto user = [&] {
      for (int i = 0; i < 3; ++i) faults += (write(kAt, 1, 1) & kFault) != 0;
    };
    const auto kernel = [&] {
      set(mm, kAt, Pte());
      mmu.flush_page(mm, kAt);
      m.arena.free(pfn);
    };
    const auto finding = run_tasks(m.run, random_walk_seed(seed), {user, kernel});
    ASSERT_FALSE(finding) << finding->title;
  }
  EXPECT_GT(faults, 0);
  EXPECT_LT(faults, 600);
}

// ThreadSanitizer, where there is one, is first: the frame was filled under the access.
TEST_P(MmuTest, ALateFlushIsFoundInSomeSchedule) {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    m.reset();
    mmu.reset();
    mm = space(1);
    const Pfn pfn = map(kAt, kReadWrite);
    const auto user = [&] {
      for (int i = 0; i < 3; ++i) static_cast<void>(write(kAt, 1, 1));
    };
    const auto kernel = [&] {
      set(mm, kAt, Pte());
      m.arena.free(pfn);
      mmu.flush_page(mm, kAt);
    };
    const auto finding = run_tasks(m.run, random_walk_seed(seed), {user, kernel});
    found += finding && (finding->kind == FindingKind::kTlb ||
                         finding->kind == FindingKind::kDataRace);
  }
  EXPECT_GT(found, 0);
}

// Content passes from user to kernel through the flush alone:  ThreadSanitizer would
// report the plain fill of the freed frame if an access could still be under way.
TEST_P(MmuTest, AFlushWaitsForAccessesOnThreads) {
  const MmuContext in = mm;
  const VirtAddr at = kAt;
  const auto pte_word = pte(in, at);
  std::atomic<bool> done{false};
  const auto user = [&](int cpu) {
    while (!done.load(std::memory_order_relaxed)) {
      std::uint64_t value = 1;
      PageFault fault;
      static_cast<void>(
          mmu.access(cpu, in, at, UserAccess::kReadModifyWrite, value, fault));
    }
  };
  const auto first = [&] { user(0); };
  const auto second = [&] { user(1); };
  const auto kernel = [&] {
    for (int i = 0; i < 3000; ++i) {
      const Pfn pfn = m.arena.alloc();
      clear_user_frame(m.arena.data(pfn));
      pte_word.store(Pte::page(pfn, kReadWrite).bits(), std::memory_order_release);
      step({&done, Access::kRead, std::memory_order_relaxed,
            std::source_location::current(), 1});
      pte_word.store(0, std::memory_order_release);
      mmu.flush_page(in, at);
      m.arena.free(pfn);
    }
    done.store(true, std::memory_order_relaxed);
  };
  const auto finding = run_threads(m.run, {first, second, kernel});
  EXPECT_FALSE(finding) << finding->title;
}

TEST_P(MmuTest, CountsEveryAdditionOnThreads) {
  const Pfn pfn = map(kAt, kReadWrite);
  const auto adder = [&](int cpu) {
    for (int i = 0; i < 5000; ++i) {
      std::uint64_t one = 1;
      PageFault fault;
      EXPECT_TRUE(mmu.access(cpu, mm, kAt, UserAccess::kReadModifyWrite, one, fault));
    }
  };
  const auto finding = run_threads(m.run, {[&] { adder(0); }, [&] { adder(1); }});
  EXPECT_FALSE(finding);
  EXPECT_EQ(direct(pfn), 10000u);
}

TEST_P(MmuTest, TakesOneStepForAnAccessAndOneForAFlush) {
  map(kAt, kReadWrite);
  const auto finding = run_alone(m.run, [&] {
    const std::uint32_t before = current()->steps;
    static_cast<void>(read(kAt));
    EXPECT_EQ(current()->steps, before + 1);
    static_cast<void>(read(0x1000));
    EXPECT_EQ(current()->steps, before + 2);
    mmu.flush_mm(mm);
    EXPECT_EQ(current()->steps, before + 3);
  });
  EXPECT_FALSE(finding);
}

INSTANTIATE_TEST_SUITE_P(, MmuTest, testing::Values(Make::kSoft, Make::kHost),
                         [](const auto& info) {
                           return info.param == Make::kHost ? "Host" : "Soft";
                         });

TEST(UserFrame, CopiesAndClears) {
  MemoryForTest m;
  const Pfn from = m.arena.alloc();
  const Pfn to = m.arena.alloc();
  store_user_word(m.arena.data(from) + 4088, 77);
  copy_user_frame(m.arena.data(to), m.arena.data(from));
  EXPECT_EQ(load_user_word(m.arena.data(to) + 4088), 77u);
  clear_user_frame(m.arena.data(to));
  EXPECT_EQ(load_user_word(m.arena.data(to) + 4088), 0u);
}

}  // namespace
}  // namespace racier
