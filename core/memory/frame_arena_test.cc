// core/memory/frame_arena_test.cc - frames are handed out, taken back, checked,
// forgotten.
#include "core/memory/frame_arena.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "core/memory/memory_for_test.h"
#include "core/runtime/run_alone.h"
#include "core/runtime/sanitizers.h"

namespace racier {
namespace {

// Writes to memory that is dead for AddressSanitizer, too.
[[clang::disable_sanitizer_instrumentation]] void damage(std::byte* at) {
  *const_cast<volatile std::byte*>(at) = std::byte{1};
}

TEST(FrameArena, HandsOutInOrderThenTheLastOneFreed) {
  MemoryForTest m;
  EXPECT_EQ(m.arena.alloc(), 0u);
  EXPECT_EQ(m.arena.alloc(), 1u);
  EXPECT_EQ(m.arena.alloc(), 2u);
  m.arena.free(0);
  m.arena.free(2);
  EXPECT_EQ(m.arena.alloc(), 2u);
  EXPECT_EQ(m.arena.alloc(), 0u);
  EXPECT_EQ(m.arena.alloc(), 3u);
}

TEST(FrameArena, SaysWhenNothingIsLeft) {
  MemoryForTest m;
  for (Pfn pfn = 0; pfn < m.arena.frames(); ++pfn) EXPECT_EQ(m.arena.alloc(), pfn);
  EXPECT_EQ(m.arena.free_count(), 0u);
  EXPECT_EQ(m.arena.alloc(), kNoPfn);
  m.arena.free(5);
  EXPECT_EQ(m.arena.free_count(), 1u);
  EXPECT_EQ(m.arena.alloc(), 5u);
}

TEST(FrameArena, HandsOutTheLowestOneBelowALimit) {
  MemoryForTest m;
  for (Pfn pfn = 0; pfn < 6; ++pfn) EXPECT_EQ(m.arena.alloc(), pfn);
  EXPECT_EQ(m.arena.alloc_below(6), kNoPfn);
  for (const Pfn pfn : {3u, 1u, 4u}) m.arena.free(pfn);
  EXPECT_EQ(m.arena.alloc_below(1), kNoPfn);
  EXPECT_EQ(m.arena.alloc_below(4), 1u);
  EXPECT_TRUE(m.alive(m.arena.data(1)));
  EXPECT_EQ(m.arena.alloc_below(100), 3u);
  EXPECT_EQ(m.arena.alloc_below(100), 4u);
  EXPECT_EQ(m.arena.alloc_below(100), 6u);
}

TEST(FrameArena, AFrameLivesWhileItIsAllocated) {
  MemoryForTest m;
  EXPECT_TRUE(m.arena.is_free(0));
  const Pfn pfn = m.arena.alloc();
  EXPECT_FALSE(m.arena.is_free(pfn));
  EXPECT_TRUE(m.alive(m.arena.data(pfn)));
  EXPECT_TRUE(m.alive(m.arena.data(pfn) + kPageSize - 1));
  EXPECT_TRUE(m.dead(m.arena.data(pfn) + kPageSize));
  m.arena.free(pfn);
  EXPECT_TRUE(m.arena.is_free(pfn));
  EXPECT_TRUE(m.dead(m.arena.data(pfn)));
  EXPECT_TRUE(m.arena.is_free(kNoPfn));
}

TEST(FrameArena, AWriteToAFreeFrameIsFoundByTheNextAllocation) {
  MemoryForTest m;
  const auto finding = run_alone(m.run, [&] {
    const Pfn pfn = m.arena.alloc();
    m.arena.free(pfn);
    damage(m.arena.data(pfn) + 100);
    m.arena.alloc();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->kind, FindingKind::kUseAfterFree);
  EXPECT_EQ(finding->title, "pagealloc: memory corruption: free frame was written to");
  EXPECT_EQ(finding->detail, "pfn 0: offset 100 holds 1");
}

TEST(FrameArena, AWriteToAFreeFrameIsFoundByTheCheckAtTheEnd) {
  MemoryForTest m;
  const auto finding = run_alone(m.run, [&] {
    m.arena.free(m.arena.alloc());
    m.arena.check_free_frames();
    damage(m.arena.data(0) + kPageSize - 1);
    m.arena.check_free_frames();
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->kind, FindingKind::kUseAfterFree);
  EXPECT_EQ(finding->detail, "pfn 0: offset 4095 holds 1");
}

TEST(FrameArena, AFrameIsFreedOnce) {
  MemoryForTest m;
  const auto finding = run_alone(m.run, [&] {
    const Pfn pfn = m.arena.alloc();
    m.arena.free(pfn);
    m.arena.free(pfn);
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, "BUG: Bad page state: a free frame was freed");
}

TEST(FrameArena, AFrameThatWasNeverHandedOutIsNotFreed) {
  MemoryForTest m;
  EXPECT_TRUE(run_alone(m.run, [&] { m.arena.free(9); }));
  m.reset();
  EXPECT_TRUE(run_alone(m.run, [&] { m.arena.free(kNoPfn); }));
  EXPECT_EQ(m.arena.free_count(), m.arena.frames());
}

TEST(FrameArena, FailsTheAllocationItIsTold) {
  MemoryForTest m;
  const auto finding = run_alone(m.run, [&] {
    current()->fail_nth = 2;
    EXPECT_EQ(m.arena.alloc(), 0u);
    EXPECT_EQ(m.arena.alloc(), kNoPfn);
    EXPECT_EQ(m.arena.alloc(), 1u);
    EXPECT_EQ(current()->fail_nth, 0u);
  });
  EXPECT_FALSE(finding);
}

TEST(FrameArena, ShowsWhatIsAllocated) {
  MemoryForTest m;
  for (int i = 0; i < 4; ++i) m.arena.alloc();
  m.arena.free(1);
  std::vector<Pfn> allocated;
  m.arena.for_each_allocated([&](Pfn pfn) { allocated.push_back(pfn); });
  EXPECT_EQ(allocated, (std::vector<Pfn>{0, 2, 3}));
}

TEST(FrameArena, ARunKnowsNothingOfTheOneBefore) {
  MemoryForTest m;
  std::vector<std::byte> first(kPageSize);
  std::memcpy(first.data(), m.arena.data(m.arena.alloc()), kPageSize);
  for (int i = 0; i < 5; ++i) std::memset(m.arena.data(m.arena.alloc()), i, kPageSize);
  m.arena.free(3);
  m.arena.free(1);
  damage(m.arena.data(3));  // nobody found it in that run

  m.reset();
  EXPECT_EQ(m.arena.free_count(), m.arena.frames());
  for (Pfn pfn = 0; pfn < 6; ++pfn) {
    EXPECT_TRUE(m.arena.is_free(pfn));
    EXPECT_TRUE(m.dead(m.arena.data(pfn)));
  }
  m.arena.check_free_frames();
  for (Pfn pfn = 0; pfn < 6; ++pfn) {
    EXPECT_EQ(m.arena.alloc(), pfn);
    EXPECT_EQ(std::memcmp(m.arena.data(pfn), first.data(), kPageSize), 0);
  }
}

TEST(FrameArena, APatternThatWasCheckedIsThereInTheNextRun) {
  MemoryForTest m;
  const std::vector<std::byte> pattern(kPageSize, std::byte{kPatternFree});
  const Pfn kept = m.arena.alloc();
  const Pfn freed = m.arena.alloc();
  std::memset(m.arena.data(kept), 1, kPageSize);
  std::memset(m.arena.data(freed), 1, kPageSize);
  m.arena.free(freed);
  m.arena.check_free_frames();
  for (int run = 0; run < 2; ++run) {  // the second one leaves what nobody checked
    m.reset();
    for (const Pfn pfn : {kept, freed}) {
      EXPECT_EQ(m.arena.alloc(), pfn);
      EXPECT_EQ(std::memcmp(m.arena.data(pfn), pattern.data(), kPageSize), 0);
      std::memset(m.arena.data(pfn), 2, kPageSize);
    }
    m.arena.free(freed);
    damage(m.arena.data(freed));
  }
}

TEST(FrameArena, OrdersOwnersOnThreads) {
  MemoryForTest m;
  const auto body = [&] {
    for (int i = 0; i < 2000; ++i) {
      const Pfn mine = m.arena.alloc();
      if (mine == kNoPfn) continue;
      std::memset(m.arena.data(mine), i, 64);  // plain: a race with the owner before?
      m.arena.free(mine);
    }
  };
  EXPECT_FALSE(run_threads(m.run, {body, body, body}));
  EXPECT_EQ(m.arena.free_count(), m.arena.frames());
}

// A task stores to a frame, and another that has seen its flag frees the frame and gets
// it again.  Returns how many runs had a finding; in none is the new frame damaged.
int findings_of_late_stores(std::memory_order flagged) {
  MemoryForTest m;
  m.run.weak_memory = true;
  int found = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    m.reset();
    using Word = Atomic<std::uint64_t>;
    const Pfn pfn = m.arena.alloc();
    auto* const word = new (m.arena.data(pfn) + 64) Word(0);
    Atomic<int> done{0};
    std::uint64_t in_the_new_one = 0;
    const auto writer = [&] {
      word->store(1, std::memory_order_relaxed);
      done.store(1, flagged);
    };
    const auto reuser = [&] {
      while (done.load() == 0) done.wait_until_written();
      m.arena.free(pfn);
      EXPECT_EQ(m.arena.alloc(), pfn);
      const auto* const next = new (m.arena.data(pfn) + 64) Word(0);
      for (int i = 0; i < 70; ++i) static_cast<void>(done.load());
      in_the_new_one = next->raw().load();
    };
    const auto finding = run_tasks(m.run, random_walk_seed(seed), {writer, reuser});
    EXPECT_EQ(in_the_new_one, 0u) << "seed " << seed;
    if (!finding) continue;
    ++found;
    EXPECT_EQ(finding->kind, FindingKind::kUseAfterFree);
    EXPECT_EQ(finding->task, 0);
    EXPECT_NE(finding->detail.find("by a store that was delayed"), std::string::npos);
  }
  return found;
}

TEST(FrameArena, ALateStoreToAFrameThatWasFreedIsAFinding) {
  // (ThreadSanitizer finds the race itself, whether the store is late or not.)
  if (!sanitizers::tsan()) {
    EXPECT_GT(findings_of_late_stores(std::memory_order_relaxed), 0);
  }
  EXPECT_EQ(findings_of_late_stores(std::memory_order_release), 0);
}

}  // namespace
}  // namespace racier
