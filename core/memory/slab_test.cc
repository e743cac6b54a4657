// core/memory/slab_test.cc - objects are handed out, held back, kept for readers,
// forgotten.
#include "core/memory/slab.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "core/memory/memory_for_test.h"
#include "core/runtime/run_alone.h"
#include "core/runtime/sanitizers.h"

namespace racier {
namespace {

struct Thing {
  static inline int alive = 0;

  explicit Thing(std::uint64_t value = 7) : value(value) { ++alive; }
  ~Thing() {
    --alive;
    value = 0xdead;
  }
  std::uint64_t value;
  std::uint64_t rest[5] = {};
};

// Writes to memory that is dead for AddressSanitizer, too.
[[clang::disable_sanitizer_instrumentation]] void damage(void* at) {
  *static_cast<volatile std::uint64_t*>(at) = 1;
}

// A schedule in which task 0 makes these choices, and else goes on by the rule.
Schedule choosing(std::initializer_list<std::uint64_t> values) {
  Schedule schedule = seeded(StrategyKind::kReplay, 0);
  for (const std::uint64_t value : values) {
    schedule.choices.push_back(
        {0, static_cast<std::uint32_t>(schedule.choices.size()), value});
  }
  return schedule;
}

struct SlabTest : testing::Test {
  SlabTest() { Thing::alive = 0; }

  MemoryForTest m;
  Slab<Thing> plain{"thing", SlabKind::kPlain, m.slab_pages, m.rcu};
  Slab<Thing> stable{"stable_thing", SlabKind::kTypesafeByRcu, m.slab_pages, m.rcu};
  static constexpr std::size_t kStride = sizeof(Thing) + 16;
  static constexpr std::size_t kPerPage = kPageSize / kStride;
};

// ---- Plain
// ------------------------------------------------------------------------------

TEST_F(SlabTest, ConstructsAndDestroys) {
  Thing* const thing = plain.create(9u);
  EXPECT_EQ(thing->value, 9u);
  EXPECT_EQ(Thing::alive, 1);
  EXPECT_EQ(plain.live_objects(), 1u);
  EXPECT_TRUE(m.alive(thing));
  EXPECT_TRUE(m.alive(thing->rest + 4));
  plain.destroy(thing);
  EXPECT_EQ(Thing::alive, 0);
  EXPECT_EQ(plain.live_objects(), 0u);
  EXPECT_TRUE(m.dead(thing));
  EXPECT_TRUE(m.dead(thing->rest + 4));
}

TEST_F(SlabTest, ObjectsAreAlignedAndApart) {
  std::byte* const first = reinterpret_cast<std::byte*>(plain.create());
  std::byte* const second = reinterpret_cast<std::byte*>(plain.create());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second) % LiveMap::kGranule, 0u);
  EXPECT_EQ(static_cast<std::size_t>(second - first), kStride);
  EXPECT_TRUE(m.dead(first + sizeof(Thing)));
  EXPECT_TRUE(m.dead(second - 1));
}

TEST_F(SlabTest, AlignsAsTold) {
  SlabCache cache("wide", 40, 256, SlabKind::kPlain, nullptr, m.slab_pages, m.rcu);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(cache.alloc()) % 256, 0u);
  }
}

TEST_F(SlabTest, TheLastOneFreedIsHandedOutNext) {
  Thing* const first = plain.create();
  Thing* const second = plain.create();
  Thing* const third = plain.create();
  plain.destroy(first);
  plain.destroy(third);
  EXPECT_EQ(plain.create(), third);
  EXPECT_EQ(plain.create(), first);
  plain.destroy(second);
}

TEST_F(SlabTest, WhetherAnObjectIsReusedAtOnceIsAChoice) {
  for (const std::uint64_t later : {0u, 1u}) {
    m.reset();
    const auto task = [&] {
      Thing* const first = plain.create();
      plain.destroy(first);
      EXPECT_EQ(plain.create() == first, later == 0);
      EXPECT_EQ(m.dead(first), later == 1);
    };
    EXPECT_FALSE(run_tasks(m.run, choosing({later}), {task, [] {}}));
  }
}

TEST_F(SlabTest, ATaskThatIsAloneHasNoChoice) {
  const auto task = [&] {
    Thing* const first = plain.create();
    plain.destroy(first);
    EXPECT_EQ(plain.create(), first);
  };
  EXPECT_FALSE(run_tasks(m.run, choosing({1}), {task}));
}

TEST_F(SlabTest, WhatIsHeldBackComesWhenNothingElseIsLeft) {
  const auto task = [&] {
    std::vector<Thing*> things;
    for (std::size_t i = 0; i < kPerPage; ++i) things.push_back(plain.create());
    plain.destroy(things[3]);  // held back
    plain.destroy(things[5]);  // held back
    plain.destroy(things[4]);  // at once
    EXPECT_EQ(plain.create(), things[4]);
    EXPECT_EQ(plain.create(), things[3]);
    EXPECT_EQ(plain.create(), things[5]);
    EXPECT_EQ(m.slab_pages.page_of(plain.create())->index, 1u);
  };
  EXPECT_FALSE(run_tasks(m.run, choosing({1, 1, 0}), {task, [] {}}));
}

TEST_F(SlabTest, AWriteToAFreeObjectIsFoundByTheNextAllocation) {
  const auto finding = run_alone(m.run, [&] {
    Thing* const thing = plain.create();
    plain.destroy(thing);
    damage(&thing->rest[1]);
    static_cast<void>(plain.create());
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->kind, FindingKind::kUseAfterFree);
  EXPECT_EQ(finding->title, "BUG: thing: Poison overwritten");
  EXPECT_EQ(finding->detail, "offset 16 holds 1");
}

TEST_F(SlabTest, AnObjectIsFreedOnce) {
  for (Slab<Thing>* const slab : {&plain, &stable}) {
    m.reset();
    const auto finding = run_alone(m.run, [&] {
      Thing* const thing = slab->create();
      slab->destroy(thing);
      slab->destroy(thing);
    });
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->kind, FindingKind::kUseAfterFree);
    EXPECT_EQ(finding->title,
              std::string("BUG: KASAN: double-free or invalid-free in ") +
                  slab->cache().name());
  }
}

TEST_F(SlabTest, OnlyItsOwnObjectsAreFreed) {
  Thing* const foreign = stable.create();
  Thing* const thing = plain.create();
  Thing on_stack;
  for (void* const wrong :
       {static_cast<void*>(foreign), static_cast<void*>(&on_stack),
        static_cast<void*>(&thing->rest[0]), static_cast<void*>(m.region.slab_page(5)),
        static_cast<void*>(nullptr)}) {
    m.run.reset();
    const auto finding = run_alone(m.run, [&] { plain.cache().free(wrong); });
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->kind, FindingKind::kUseAfterFree);
  }
  EXPECT_EQ(plain.live_objects(), 1u);
}

TEST_F(SlabTest, UnwindingFindsNothing) {
  struct Careless {  // frees twice on its way out
    Slab<Thing>& slab;
    Thing* thing;
    ~Careless() {
      slab.destroy(thing);
      slab.destroy(thing);
    }
  };
  const auto finding = run_alone(m.run, [&] {
    const Careless careless{plain, plain.create()};
    report(FindingKind::kData, "the first finding");
  });
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->title, "the first finding");
}

TEST_F(SlabTest, FailsTheAllocationItIsTold) {
  const auto finding = run_alone(m.run, [&] {
    current()->fail_nth = 2;
    EXPECT_NE(plain.create(), nullptr);
    EXPECT_EQ(plain.create(), nullptr);
    EXPECT_NE(plain.create(), nullptr);
    current()->fail_nth = 1;
    EXPECT_EQ(stable.create(), nullptr);
    EXPECT_EQ(Thing::alive, 2);
  });
  EXPECT_FALSE(finding);
}

TEST_F(SlabTest, SaysWhenNoPageIsLeft) {
  std::size_t count = 0;
  while (plain.create() != nullptr) ++count;
  EXPECT_EQ(count, kPerPage * m.region.slab_pages());
  EXPECT_EQ(m.slab_pages.free_count(), 0u);
  EXPECT_EQ(stable.create(), nullptr);
}

TEST_F(SlabTest, CountsTheBytesThatAreAlive) {
  EXPECT_EQ(m.slab_pages.live_bytes(), 0u);
  Thing* const one = plain.create();
  EXPECT_NE(plain.create(), nullptr);
  EXPECT_NE(stable.create(), nullptr);
  const std::size_t three = 2 * plain.cache().stride() + stable.cache().stride();
  EXPECT_EQ(m.slab_pages.live_bytes(), three);
  plain.destroy(one);
  EXPECT_EQ(m.slab_pages.live_bytes(), three - plain.cache().stride());
}

TEST_F(SlabTest, KeepsOneEmptyPage) {
  std::vector<Thing*> things;
  for (std::size_t i = 0; i < 3 * kPerPage; ++i) things.push_back(plain.create());
  EXPECT_EQ(m.slab_pages.free_count(), m.region.slab_pages() - 3);
  for (Thing* const thing : things) plain.destroy(thing);
  EXPECT_EQ(m.slab_pages.free_count(), m.region.slab_pages() - 1);
  for (std::size_t i = 0; i < kPerPage; ++i) static_cast<void>(plain.create());
  EXPECT_EQ(m.slab_pages.free_count(), m.region.slab_pages() - 1);
}

TEST_F(SlabTest, ShowsWhatIsAlive) {
  Thing* const first = plain.create(1u);
  static_cast<void>(plain.create(2u));
  static_cast<void>(plain.create(3u));
  plain.destroy(first);
  std::vector<std::uint64_t> values;
  plain.for_each_live([&](Thing& thing) { values.push_back(thing.value); });
  EXPECT_EQ(values, (std::vector<std::uint64_t>{2, 3}));
}

// ---- Type-stable by RCU
// -----------------------------------------------------------------

TEST_F(SlabTest, AStableObjectStaysWhatItWas) {
  Thing* const thing = stable.create();
  EXPECT_EQ(thing->value, 7u);
  thing->value = 8;
  stable.destroy(thing);
  EXPECT_TRUE(m.alive(thing));
  EXPECT_EQ(thing->value, 8u);
  EXPECT_EQ(Thing::alive, 1);
  EXPECT_EQ(stable.create(), thing);
  EXPECT_EQ(thing->value, 8u);
  EXPECT_EQ(Thing::alive, 1);
}

TEST_F(SlabTest, AnEmptyStablePageLeavesAfterAGracePeriod) {
  const auto finding = run_alone(m.run, [&] {
    Thing* const first = stable.create();
    Thing* const second = stable.create();
    stable.destroy(first);
    m.rcu.barrier_at_rest();
    EXPECT_TRUE(m.alive(first));  // the page has an object
    stable.destroy(second);
    EXPECT_TRUE(m.alive(second));
    m.rcu.barrier_at_rest();
    EXPECT_TRUE(m.dead(first));
    EXPECT_TRUE(m.dead(second));
    EXPECT_EQ(Thing::alive, 0);
    EXPECT_EQ(m.slab_pages.free_count(), m.region.slab_pages());
    EXPECT_EQ(static_cast<void*>(plain.create()), first);  // any cache may have it
  });
  EXPECT_FALSE(finding);
}

TEST_F(SlabTest, AStablePageThatIsUsedAgainStays) {
  const auto finding = run_alone(m.run, [&] {
    stable.destroy(stable.create());
    Thing* const thing = stable.create();
    m.rcu.barrier_at_rest();
    EXPECT_TRUE(m.alive(thing));
    stable.destroy(thing);
    m.rcu.barrier_at_rest();
    EXPECT_TRUE(m.dead(thing));
  });
  EXPECT_FALSE(finding);
}

// Whatever a reader finds stays an object until the reader is done, however often its
// page is emptied and used again meanwhile.
TEST_F(SlabTest, AStablePageWaitsForReadersOfItsLastObject) {
  std::atomic<int> seen{0};
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    m.reset();
    Atomic<Thing*> published{nullptr};
    Atomic<int> busy{3};
    const auto leave = [&] {
      if (busy.fetch_sub(1) == 1) m.rcu.stop();
    };
    const auto writer = [&] {
      for (int i = 0; i < 3; ++i) {
        Thing* const thing = stable.create();
        published.store(thing);
        published.store(nullptr);
        stable.destroy(thing);
      }
      leave();
    };
    const auto reader = [&] {
      for (int i = 0; i < 2; ++i) {
        const RcuReadGuard guard(m.rcu);
        Thing* const thing = published.load();
        for (int wait = 0; wait < 6; ++wait) static_cast<void>(busy.load());
        if (thing == nullptr) continue;
        seen.fetch_add(1, std::memory_order_relaxed);
        EXPECT_TRUE(m.alive(thing)) << "seed " << seed;
      }
      leave();
    };
    const auto callbacks = [&] { m.rcu.callback_loop(); };
    const auto finding =
        run_tasks(m.run, random_walk_seed(seed), {writer, reader, reader, callbacks});
    ASSERT_FALSE(finding) << finding->title << finding->detail;
    EXPECT_EQ(m.slab_pages.free_count(), m.region.slab_pages());
  }
  EXPECT_GT(seen, 0);
  EXPECT_EQ(Thing::alive, 0);
}

TEST_F(SlabTest, WhetherAStableObjectIsReusedAtOnceIsAChoice) {
  for (const std::uint64_t later : {0u, 1u}) {
    m.reset();
    const auto task = [&] {
      Thing* const first = stable.create();
      stable.destroy(first);
      EXPECT_EQ(stable.create() == first, later == 0);
      EXPECT_TRUE(m.alive(first));
    };
    EXPECT_FALSE(run_tasks(m.run, choosing({later}), {task, [] {}}));
  }
}

TEST_F(SlabTest, MarksAReuseUnderTheEyesOfAReader) {
  const auto reuse = [&] {
    stable.destroy(stable.create());
    step({this, Access::kRead, std::memory_order_relaxed,
          std::source_location::current()});
    static_cast<void>(stable.create());
  };
  const auto reader = [&] {
    const RcuReadGuard guard(m.rcu);
    step({this, Access::kRead, std::memory_order_relaxed,
          std::source_location::current()});
  };
  int marks = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    m.reset();
    EXPECT_FALSE(run_tasks(m.run, random_walk_seed(seed), {reuse, reader}));
    marks += m.run.marks[static_cast<std::size_t>(Mark::kTypeStableReuse)];
  }
  EXPECT_GT(marks, 0);
  EXPECT_LT(marks, 100);
}

// ---- Weak memory

struct Cell {
  Atomic<std::uint64_t> word{0};
};

// A task stores to an object, and another that has seen its flag destroys the object
// and takes another one.
struct LateStore : testing::Test {
  LateStore() { m.run.weak_memory = true; }

  // Returns how many runs had a finding; in none may the new object be damaged.
  int findings(Slab<Cell>& cells, std::memory_order flagged) {
    int found = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
      m.reset();
      Cell* const cell = cells.create();
      Atomic<int> done{0};
      std::uint64_t in_the_new_one = 0;
      const auto writer = [&] {
        cell->word.store(1, std::memory_order_relaxed);
        done.store(1, flagged);
      };
      const auto reuser = [&] {
        while (done.load() == 0) done.wait_until_written();
        cells.destroy(cell);
        Cell* const next = cells.create();
        for (int i = 0; i < 70; ++i) static_cast<void>(done.load());
        in_the_new_one = next->word.raw().load();
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

  MemoryForTest m;
  Slab<Cell> plain{"cell", SlabKind::kPlain, m.slab_pages, m.rcu};
  Slab<Cell> stable{"stable_cell", SlabKind::kTypesafeByRcu, m.slab_pages, m.rcu};
};

TEST_F(LateStore, ToAnObjectThatWasFreedIsAFinding) {
  // (ThreadSanitizer finds the race itself, whether the store is late or not.)
  if (!sanitizers::tsan()) EXPECT_GT(findings(plain, std::memory_order_relaxed), 0);
  EXPECT_EQ(findings(plain, std::memory_order_release), 0);
}

TEST_F(LateStore, ToAStableObjectIsNoneUntilItsPageGoes) {
  if (sanitizers::tsan()) GTEST_SKIP() << "ThreadSanitizer finds the race itself";
  int found = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    m.reset();
    Cell* const cell = stable.create();
    Atomic<int> done{0};
    bool freed = false;
    const auto writer = [&] {
      cell->word.store(1, std::memory_order_relaxed);
      done.store(1, std::memory_order_relaxed);
      for (int i = 0; i < 20; ++i) static_cast<void>(done.load());
    };
    const auto freer = [&] {
      while (done.load() == 0) done.wait_until_written();
      stable.destroy(cell);
      EXPECT_FALSE(run_is_over());
      m.rcu.stop();
      m.rcu.callback_loop();
      freed = true;
    };
    const auto finding = run_tasks(m.run, random_walk_seed(seed), {writer, freer});
    if (!finding) {
      EXPECT_TRUE(freed);
      continue;
    }
    ++found;
    EXPECT_EQ(finding->kind, FindingKind::kUseAfterFree);
    EXPECT_EQ(finding->task, 0);
  }
  EXPECT_GT(found, 0);
}

TEST_F(SlabTest, ChangesItsKindWhenEmpty) {
  plain.destroy(plain.create());
  plain.set_kind(SlabKind::kTypesafeByRcu);
  Thing* const thing = plain.create();
  plain.destroy(thing);
  EXPECT_TRUE(m.alive(thing));
  m.rcu.barrier_at_rest();
  plain.set_kind(SlabKind::kPlain);
  Thing* const other = plain.create();
  plain.destroy(other);
  EXPECT_TRUE(m.dead(other));
  EXPECT_EQ(Thing::alive, 0);
}

TEST_F(SlabTest, ShowsWhatIsFreeAndStillAnObject) {
  Thing* const first = stable.create();
  Thing* const second = stable.create();
  const auto free = [](const Slab<Thing>& slab) {
    std::vector<Thing*> things;
    slab.for_each_free([&](Thing& thing) { things.push_back(&thing); });
    return things;
  };
  EXPECT_EQ(free(stable), std::vector<Thing*>()) << "none of those never handed out";
  stable.destroy(first);
  EXPECT_EQ(free(stable), std::vector<Thing*>{first});
  EXPECT_EQ(stable.create(), first);
  EXPECT_EQ(free(stable), std::vector<Thing*>());
  stable.destroy(second);
  EXPECT_EQ(free(stable), std::vector<Thing*>{second});
  plain.destroy(plain.create());
  EXPECT_EQ(free(plain), std::vector<Thing*>()) << "they are dead";
}

// ---- Runs
// -------------------------------------------------------------------------------

TEST_F(SlabTest, ARunKnowsNothingOfTheOneBefore) {
  const auto story = [&] {
    std::vector<const void*> seen;
    for (std::size_t i = 0; i < kPerPage + 3; ++i) {
      seen.push_back(plain.create());
      seen.push_back(stable.create());
      EXPECT_EQ(static_cast<const Thing*>(seen.back())->value, 7u);
    }
    plain.destroy(static_cast<Thing*>(const_cast<void*>(seen[4])));
    stable.destroy(static_cast<Thing*>(const_cast<void*>(seen[5])));
    stable.for_each_live([](Thing& thing) { thing.value = 1; });
    seen.push_back(plain.create());
    return seen;
  };
  const auto first = story();
  m.reset();
  EXPECT_EQ(plain.live_objects(), 0u);
  EXPECT_EQ(m.slab_pages.free_count(), m.region.slab_pages());
  for (const void* const at : first) EXPECT_TRUE(m.dead(at));
  EXPECT_EQ(story(), first);
}

TEST_F(SlabTest, ContentIsTheSameInEveryRun) {
  SlabCache cache("raw", 64, 16, SlabKind::kPlain, nullptr, m.slab_pages, m.rcu);
  std::set<std::string> contents;
  for (int i = 0; i < 3; ++i) {
    m.reset();
    void* const at = cache.alloc();
    contents.insert(std::string(static_cast<const char*>(at), 64));
    std::memset(at, i, 64);
  }
  EXPECT_EQ(contents.size(), 1u);
}

TEST_F(SlabTest, OrdersOwnersOnThreads) {
  const auto body = [&] {
    for (std::uint64_t i = 0; i < 1000; ++i) {
      Thing* const mine =
          plain.create(i);  // plain writes: a race with the owner before?
      Thing* const shared = stable.create();
      shared->value = i;
      EXPECT_EQ(mine->value, i);
      stable.destroy(shared);
      plain.destroy(mine);
    }
  };
  Thing::alive = 0;
  EXPECT_FALSE(run_threads(m.run, {body}));
  EXPECT_EQ(plain.live_objects() + stable.live_objects(), 0u);
}

struct Word {
  std::uint64_t value = 0;
};

TEST_F(SlabTest, ManyThreadsShareACache) {
  Slab<Word> words("word", SlabKind::kPlain, m.slab_pages, m.rcu);
  Slab<Word> stable_words("stable_word", SlabKind::kTypesafeByRcu, m.slab_pages, m.rcu);
  const auto body = [&] {
    for (std::uint64_t i = 0; i < 1000; ++i) {
      Word* const mine = words.create(i);
      Word* const shared = stable_words.create();
      shared->value = i;
      EXPECT_EQ(mine->value, i);
      EXPECT_EQ(shared->value, i);
      stable_words.destroy(shared);
      words.destroy(mine);
    }
  };
  EXPECT_FALSE(run_threads(m.run, {body, body, body}));
  EXPECT_EQ(words.live_objects() + stable_words.live_objects(), 0u);
  m.rcu.barrier_at_rest();
}

}  // namespace
}  // namespace racier
