// core/runtime/store_buffers_test.cc - a missing barrier is wrong behaviour that
// replays.
#include "core/runtime/store_buffers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/runtime/run_alone.h"
#include "core/runtime/trace.h"
#include "core/sync/context.h"
#include "core/sync/rcu.h"
#include "core/sync/seq_count.h"
#include "core/sync/sites.h"
#include "core/sync/wait_queue.h"

namespace racier {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr LockClass kQueueLock{"queue", 1};
constexpr int kSeeds = 2000;

void wrong() { report(FindingKind::kData, "a wrong value was seen"); }

// One program with weak memory, run again and again.
class WeakRun {
 public:
  // Runs the bodies; returns whether there was a finding.
  bool run(const Schedule& schedule, Bodies bodies) {
    state_.reset();
    state_.weak_memory = true;
    runtime_.set_schedule(schedule);
    runtime_.set_observer(&trace_);
    runtime_.run(state_, bodies);
    hash_ = trace_.hash();
    return state_.finding().has_value();
  }
  RunState& state() { return state_; }
  FiberRuntime& runtime() { return runtime_; }
  std::uint64_t hash() const { return hash_; }

 private:
  RunState state_;
  FiberRuntime runtime_;
  Trace trace_;
  std::uint64_t hash_ = 0;
};

// Calls `scenario`, which makes its objects anew and runs its tasks on the WeakRun that
// it is given, with many seeds.  Returns how many runs had a finding; each of the first
// ten is expected to come again from its own schedule, and step by step.
template <typename Scenario>
int findings_of(Scenario scenario) {
  int found = 0;
  WeakRun weak;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    if (!scenario(weak, random_walk_seed(seed)) || ++found > 10) continue;
    const std::string title = weak.state().finding()->title;
    const std::uint64_t hash = weak.hash();
    const Schedule recorded = weak.runtime().recorded();
    EXPECT_FALSE(recorded.choices.empty()) << "no weak memory, no finding";
    EXPECT_TRUE(scenario(weak, recorded)) << "seed " << seed;
    if (!weak.state().finding()) continue;
    EXPECT_EQ(weak.state().finding()->title, title);
    EXPECT_EQ(weak.hash(), hash);
    EXPECT_EQ(weak.runtime().recorded(), recorded);
  }
  return found;
}

// ---- Missing barriers ---------------------------------------------------------------

int publish(std::memory_order store, std::memory_order load) {
  return findings_of([=](WeakRun& weak, const Schedule& schedule) {
    Atomic<int> payload{0};
    Atomic<Atomic<int>*> published{nullptr};
    return weak.run(schedule, {[&] {
                                 payload.store(1, kRelaxed);
                                 published.store(&payload, store);
                               },
                               [&] {
                                 Atomic<int>* const seen = published.load(load);
                                 if (seen != nullptr && seen->load(kRelaxed) != 1)
                                   wrong();
                               }});
  });
}

TEST(MissingBarrier, APublicationNeedsReleaseAndAcquire) {
  EXPECT_GT(publish(kRelaxed, kRelaxed), 0);
  EXPECT_GT(publish(kRelease, kRelaxed), 0);
  EXPECT_GT(publish(kRelaxed, kAcquire), 0);
  EXPECT_EQ(publish(kRelease, kAcquire), 0);
}

// Two tasks that each say that they are there and then look for the other one.  Returns
// how often neither sees the other; without the order of the first one's, or with it.
int both_miss(bool ordered) {
  constexpr auto kSeqCst = std::memory_order_seq_cst;
  return findings_of([=](WeakRun& weak, const Schedule& schedule) {
    Atomic<int> a{0}, b{0}, missed{0};
    const auto look = [&](Atomic<int>& other) {
      if (other.load(kSeqCst) == 0 && missed.raw().fetch_add(1, kRelaxed) == 1) wrong();
    };
    constexpr std::uint_least32_t kLine = __LINE__ + 4;
    LeftOut one({{SiteKind::kBarrier, "store_buffers_test.cc", kLine}});
    weak.state().sites = ordered ? nullptr : &one;
    const bool found = weak.run(schedule, {[&] {
                                             a.fetch_add(1, kSeqCst);
                                             look(b);
                                           },
                                           [&] {
                                             b.fetch_add(1, kSeqCst);
                                             look(a);
                                           }});
    weak.state().sites = nullptr;
    return found;
  });
}

TEST(MissingBarrier, WhoSaysThatHeIsThereAndLooksForOthersNeedsAFullOne) {
  EXPECT_GT(both_miss(false), 0);
  EXPECT_EQ(both_miss(true), 0);
}

// Without its order a read-modify-write may be late, and stays one operation all the
// same: no two have read one value, and none is lost.
TEST(MissingBarrier, AReadModifyWriteStaysOneOperation) {
  class AllBarriers final : public Sites {
   public:
    bool leaves_out(SiteKind kind, const char*, std::source_location) override {
      return kind == SiteKind::kBarrier;
    }
  };
  AllBarriers all;
  int late = 0;
  const int found = findings_of([&](WeakRun& weak, const Schedule& schedule) {
    Atomic<int> word{0};
    std::array<int, 3> before{};
    weak.state().sites = &all;
    const auto add = [&](int task) {
      before[static_cast<std::size_t>(task)] =
          word.fetch_add(1, std::memory_order_acq_rel);
      if (word.raw().load(kRelaxed) == 0) ++late;
    };
    const bool wrong_value = weak.run(schedule, {[&] { add(0); }, [&] { add(1); },
                                                 [&] {
                                                   add(2);
                                                   word.store(10);
                                                   if (word.load() < 10) wrong();
                                                 }});
    weak.state().sites = nullptr;
    std::sort(before.begin(), before.end());
    const bool all_differ = before[0] < before[1] && before[1] < before[2];
    EXPECT_TRUE(all_differ) << before[0] << before[1] << before[2];
    EXPECT_GE(word.raw().load(), 10);
    EXPECT_LE(word.raw().load(), 12);
    return wrong_value;
  });
  EXPECT_EQ(found, 0);
  EXPECT_GT(late, 0);
}

// SeqCount, with its two fences or without.
struct Pair {
  Atomic<std::uint32_t> sequence{0};
  Atomic<int> a{0}, b{0};

  void write(bool fences) {
    sequence.store(1, kRelaxed);
    if (fences) fence(kRelease);
    a.store(1, kRelaxed);
    b.store(1, kRelaxed);
    sequence.store(2, kRelease);
  }
  void read(bool fences) {
    const std::uint32_t before = sequence.load(kAcquire);
    if (before % 2 != 0) return;
    const bool torn = a.load(kRelaxed) != b.load(kRelaxed);
    if (fences) fence(kAcquire);
    if (sequence.load(kRelaxed) == before && torn) wrong();
  }
};

int sequence(bool writer_fences, bool reader_fences) {
  return findings_of([=](WeakRun& weak, const Schedule& schedule) {
    Pair pair;
    return weak.run(schedule, {[&] { pair.write(writer_fences); },
                               [&] { pair.read(reader_fences); }});
  });
}

TEST(MissingBarrier, ASequenceCountNeedsItsFences) {
  EXPECT_GT(sequence(false, false), 0);
  EXPECT_GT(sequence(false, true), 0);
  EXPECT_GT(sequence(true, false), 0);
  EXPECT_EQ(sequence(true, true), 0);
}

// What is read in a section that finds an object is what was written before it was
// published, and the object is not used up before the section ends.
int rcu(std::memory_order assign, bool waits) {
  return findings_of([=](WeakRun& weak, const Schedule& schedule) {
    Rcu rcu(RcuFlavour::kPreempt);
    Atomic<int> object{0};
    Atomic<Atomic<int>*> head{nullptr};
    return weak.run(schedule, {[&] {
                                 object.store(1, kRelaxed);
                                 head.store(&object, assign);
                                 head.store(nullptr, kRelaxed);
                                 if (waits) rcu.synchronize();
                                 object.store(2, kRelaxed);
                               },
                               [&] {
                                 const RcuReadGuard guard(rcu);
                                 Atomic<int>* const found = head.load(kAcquire);
                                 if (found != nullptr && found->load(kRelaxed) != 1) {
                                   wrong();
                                 }
                               }});
  });
}

TEST(MissingBarrier, RcuNeedsItsAssignment) {
  EXPECT_GT(rcu(kRelaxed, true), 0);
  EXPECT_EQ(rcu(kRelease, true), 0);
}

// Kernel: "you need a barrier before waitqueue_active()".
int wake_if_active(bool barrier) {
  return findings_of([=](WeakRun& weak, const Schedule& schedule) {
    WaitQueue queue(kQueueLock);
    Atomic<int> done{0};
    return weak.run(schedule, {[&] { queue.wait([&] { return done.load() != 0; }); },
                               [&] {
                                 done.store(1);
                                 if (barrier) fence(std::memory_order_seq_cst);
                                 if (queue.active()) queue.wake();
                               }});
  });
}

TEST(MissingBarrier, AWakeMayBeLost) {
  EXPECT_GT(wake_if_active(false), 0);
  EXPECT_EQ(wake_if_active(true), 0);
}

// ---- Memory that goes ---------------------------------------------------------------

struct alignas(LiveMap::kGranule) Cell {
  Atomic<int> word{0};
};

// The freer has seen the flag, but not waited for the store before it.
int store_and_free(std::memory_order flagged) {
  return findings_of([=](WeakRun& weak, const Schedule& schedule) {
    Cell cell;
    LiveMap live(&cell, sizeof cell);
    live.set_alive(&cell, sizeof cell);
    Atomic<int> done{0};
    weak.state().live = &live;
    return weak.run(schedule, {[&] {
                                 cell.word.store(1, kRelaxed);
                                 done.store(1, flagged);
                               },
                               [&] {
                                 while (done.load() == 0) done.wait_until_written();
                                 live.set_dead(&cell, sizeof cell);
                               }});
  });
}

TEST(StoreBuffers, ALateStoreToFreedMemoryIsAFinding) {
  EXPECT_GT(store_and_free(kRelaxed), 0);
  EXPECT_EQ(store_and_free(kRelease), 0);
}

// Likewise of a fill, of all of what is freed.
int fill_and_free(std::memory_order flagged) {
  return findings_of([=](WeakRun& weak, const Schedule& schedule) {
    Cell cells[2];
    LiveMap live(cells, sizeof cells);
    live.set_alive(cells, sizeof cells);
    Atomic<int> done{0};
    weak.state().live = &live;
    return weak.run(schedule, {[&] {
                                 {
                                   const WeakFill fill(cells, sizeof cells);
                                   for (Cell& cell : cells) cell.word.raw().store(1);
                                 }
                                 done.fetch_add(1, flagged);
                                 for (int i = 0; i < 70; ++i) done.load();
                               },
                               [&] {
                                 while (done.load() == 0) done.wait_until_written();
                                 live.set_dead(cells, sizeof cells);
                               }});
  });
}

TEST(StoreBuffers, ALateFillOfFreedMemoryIsAFinding) {
  EXPECT_GT(fill_and_free(kRelaxed), 0);
  EXPECT_EQ(fill_and_free(kRelease), 0);
}

// Of what it fills a task sees all, whole and word by word; and the last of two fills
// stays.
TEST(StoreBuffers, ATaskSeesItsOwnFills) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    WeakRun weak;
    Atomic<std::uint64_t> words[4];
    const auto fill = [&](std::uint64_t value) {
      const WeakFill filling(words, sizeof words);
      for (Atomic<std::uint64_t>& word : words) word.raw().store(value, kRelaxed);
    };
    const auto body = [&] {
      fill(1);
      EXPECT_EQ(words[3].load(kRelaxed), 1u);
      fill(2);
      words[1].store(7, kRelaxed);
      EXPECT_EQ(words[1].load(kRelaxed), 7u);
      EXPECT_EQ(words[2].fetch_add(1, kRelaxed), 2u);
      fill(3);
      weak_barrier();
      for (const Atomic<std::uint64_t>& word : words) EXPECT_EQ(word.raw().load(), 3u);
      words[0].store(4, kRelaxed);
      fill(5);
    };
    EXPECT_FALSE(weak.run(random_walk_seed(seed), {body}));
    for (const Atomic<std::uint64_t>& word : words) EXPECT_EQ(word.raw().load(), 5u);
  }
}

TEST(StoreBuffers, WhoeverFreesMakesItsOwnStoresFirst) {
  EXPECT_EQ(findings_of([](WeakRun& weak, const Schedule& schedule) {
              Cell cell;
              LiveMap live(&cell, sizeof cell);
              live.set_alive(&cell, sizeof cell);
              weak.state().live = &live;
              Atomic<int> other{0};
              return weak.run(schedule, {[&] {
                                cell.word.store(1, kRelaxed);
                                weak_barrier();
                                live.set_dead(&cell, sizeof cell);
                                for (int i = 0; i < 70; ++i) other.load();
                              }});
            }),
            0);
}

// ---- What is always so --------------------------------------------------------------

// The strategy that chooses nothing: a strongly ordered memory.
TEST(StoreBuffers, TheFixedRuleIsStrongMemory) {
  WeakRun weak;
  Atomic<int> x{0}, y{0};
  const auto body = [&] {
    for (int i = 0; i < 100; ++i) {
      x.store(i, kRelaxed);
      EXPECT_EQ(x.raw().load(), i);
      EXPECT_EQ(x.load(kRelaxed), i);
      y.fetch_add(1);
    }
  };
  EXPECT_FALSE(weak.run({}, {body, body}));
  EXPECT_TRUE(weak.runtime().recorded().choices.empty());
}

TEST(StoreBuffers, StoresAreMadeInTheEndAndWhenEverybodyPolls) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    WeakRun weak;
    Atomic<int> x{0}, y{0};
    EXPECT_FALSE(weak.run(random_walk_seed(seed), {[&] {
                                                     x.store(1, kRelaxed);
                                                     while (y.load(kRelaxed) == 0) {
                                                     }
                                                     x.store(2, kRelaxed);
                                                   },
                                                   [&] {
                                                     while (x.load(kRelaxed) == 0) {
                                                     }
                                                     y.store(1, kRelaxed);
                                                   }}));
    EXPECT_EQ(x.raw().load(), 2);
    EXPECT_EQ(y.raw().load(), 1);
  }
}

TEST(StoreBuffers, ManyStoresAndManyWords) {
  struct Word {
    Atomic<std::uint16_t> value{0};
  };
  std::vector<Word> words(6000);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    WeakRun weak;
    const auto writes = [&] {
      for (Word& word : words) {
        word.value.store(static_cast<std::uint16_t>(seed + 1), kRelaxed);
      }
    };
    EXPECT_FALSE(weak.run(random_walk_seed(seed), {writes, writes}));
    for (Word& word : words) EXPECT_EQ(word.value.raw().load(), seed + 1);
  }
}

TEST(StoreBuffers, ATaskSeesItsOwnStores) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    WeakRun weak;
    Atomic<int> word{0};
    const auto body = [&] {
      word.store(1, kRelaxed);
      EXPECT_EQ(word.load(kRelaxed), 1);
      EXPECT_EQ(word.peek(), 1);
      word.poke(2);
      EXPECT_EQ(word.raw().load(), 2);
      word.store(3, kRelaxed);
      const StepsOff no_steps;
      EXPECT_EQ(word.load(), 3);
      word.store(4);
      EXPECT_EQ(word.raw().load(), 4);
    };
    EXPECT_FALSE(weak.run(random_walk_seed(seed), {body}));
  }
}

TEST(StoreBuffers, AFailedExchangeSeesItsOwnStoresAndChangesNothing) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    WeakRun weak;
    Atomic<int> word{0};
    const auto body = [&] {
      word.store(1, kRelaxed);
      int seen = 0;
      EXPECT_FALSE(word.compare_exchange(seen, 2));
      EXPECT_EQ(seen, 1);
      word.store(3, kRelaxed);
      seen = 3;
      EXPECT_TRUE(word.compare_exchange(seen, 4, kRelaxed));
      EXPECT_EQ(word.raw().load(), 4);
    };
    EXPECT_FALSE(weak.run(random_walk_seed(seed), {body}));
  }
}

// Eight exchanges that fail push no old value out.
TEST(StoreBuffers, FailedExchangesLeaveOldValues) {
  EXPECT_GT(findings_of([](WeakRun& weak, const Schedule& schedule) {
              Atomic<int> x{0}, failed{0};
              return weak.run(schedule, {[&] {
                                           x.store(1, kRelaxed);
                                           for (int i = 0; i < 8; ++i) {
                                             int never = 7;
                                             x.compare_exchange(never, 8, kRelaxed);
                                           }
                                           failed.raw().store(1);
                                         },
                                         [&] {
                                           const int all = x.load(kRelaxed);
                                           if (failed.raw().load() == 1 && all == 0)
                                             wrong();
                                         }});
            }),
            0);
}

// Memory that was reused: a late store of 4 bytes is no load of 8.
TEST(StoreBuffers, AStoreOfAnotherSizeIsMadeFirst) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    WeakRun weak;
    alignas(8) std::byte memory[8];
    const auto body = [&] {
      auto* const narrow = new (memory) Atomic<std::uint32_t>(0);
      narrow->store(7, kRelaxed);
      auto* const wide = new (memory) Atomic<std::uint64_t>(std::uint64_t{1} << 40);
      EXPECT_EQ(wide->load(kRelaxed) >> 40, 1u);
      EXPECT_EQ(wide->peek() >> 40, 1u);
    };
    EXPECT_FALSE(weak.run(random_walk_seed(seed), {body}));
  }
}

}  // namespace
}  // namespace racier
