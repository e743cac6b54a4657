// core/runtime/litmus_test.cc - what a weakly ordered memory shows, and what never.
//
// A row is a litmus test: what each task does, and an outcome that no interleaving has.
// If it is allowed, it is seen; if not, never in RACIER_LITMUS_RUNS runs (a million in
// the release build, fewer where a sanitizer watches).  The names are those of the
// literature (Alglave, Maranget, Tautschnig 2014, "Herding cats"); what is forbidden is
// so in Linux' memory model too.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <tuple>
#include <vector>

#include "core/runtime/run_alone.h"
#include "core/runtime/trace.h"
#include "core/sync/bit_lock.h"
#include "core/sync/bit_spin_lock.h"
#include "core/sync/rcu.h"
#include "core/sync/spin_lock.h"

namespace racier {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kSeqCst = std::memory_order_seq_cst;
constexpr LockClass kClass{"litmus", 1};
constexpr LockClass kBitClass{"litmus bit", 2};
constexpr LockClass kQueueClass{"litmus queue", 3};

// Everything is 0 at first; r0 to r3 are what was read.
struct Words {
  Atomic<int> x{0}, y{0};
  int r0 = 0, r1 = 0, r2 = 0, r3 = 0;
  SpinLock lock{kClass};
  Atomic<std::uint64_t> flags{0};  // bit 0 is a lock
  WaitQueue queue{kQueueClass};
  Rcu rcu{RcuFlavour::kPreempt};
  std::uint64_t frame[4] = {};  // what is filled as a whole

  void reset() {
    x.raw().store(0, kRelaxed);
    y.raw().store(0, kRelaxed);
    flags.raw().store(0, kRelaxed);
    r0 = r1 = r2 = r3 = 0;
    for (std::uint64_t& word : frame) word = 0;
  }
};

using Thread = void (*)(Words&);
using Outcome = bool (*)(const Words&);

struct Litmus {
  const char* name;
  bool allowed;
  std::vector<Thread> threads;
  Outcome outcome;
};

int now(const Atomic<int>& word) { return word.raw().load(kRelaxed); }

void write_x(Words& w) { w.x.store(1, kRelaxed); }
void write_y(Words& w) { w.y.store(1, kRelaxed); }

void write_x_y(Words& w) {
  w.x.store(1, kRelaxed);
  w.y.store(1, kRelaxed);
}
void write_x_wmb_y(Words& w) {
  w.x.store(1, kRelaxed);
  fence(kRelease);
  w.y.store(1, kRelaxed);
}
void write_x_wmb_add_y(Words& w) {
  w.x.store(1, kRelaxed);
  fence(kRelease);
  w.y.fetch_add(1, kRelaxed);
}
void write_x_wmb_cas_y(Words& w) {
  w.x.store(1, kRelaxed);
  fence(kRelease);
  int zero = 0;
  w.y.compare_exchange(zero, 1, kRelaxed);
}
void write_x_wmb_poke_y(Words& w) {
  w.x.store(1, kRelaxed);
  fence(kRelease);
  w.y.poke(1);
}
void write_x_release_y(Words& w) {
  w.x.store(1, kRelaxed);
  w.y.store(1, kRelease);
}
void read_y_x(Words& w) {
  w.r0 = w.y.load(kRelaxed);
  w.r1 = w.x.load(kRelaxed);
}
void read_y_rmb_x(Words& w) {
  w.r0 = w.y.load(kRelaxed);
  fence(kAcquire);
  w.r1 = w.x.load(kRelaxed);
}
void acquire_y_read_x(Words& w) {
  w.r0 = w.y.load(kAcquire);
  w.r1 = w.x.load(kRelaxed);
}
void fill(Words& w) {
  const WeakFill filling(w.frame, sizeof w.frame);
  for (std::uint64_t& word : w.frame) std::atomic_ref(word).store(1, kRelaxed);
}
int filled_word(Words& w) {
  return static_cast<int>(std::atomic_ref(w.frame[2]).load(kRelaxed));
}
template <std::memory_order kOrder>
void fill_add_y(Words& w) {
  fill(w);
  w.y.fetch_add(1, kOrder);
}
void acquire_y_read_frame(Words& w) {
  w.r0 = w.y.load(kAcquire);
  w.r1 = filled_word(w);
}
void spinning(Words& w, Thread body) {
  bit_spin_lock(w.flags, 0, kBitClass);
  body(w);
  bit_spin_unlock(w.flags, 0, kBitClass);
}
void sleeping(Words& w, Thread body) {
  bit_lock(w.flags, 0, w.queue, kBitClass);
  body(w);
  bit_unlock(w.flags, 0, w.queue, kBitClass);
}
// Other bits of the lock's word come and go.
void change_flags(Words& w) {
  for (int i = 0; i < 3; ++i) {
    w.flags.fetch_or(2, kRelaxed);
    w.flags.fetch_and(~std::uint64_t{2}, kRelaxed);
  }
}
void look_at_flags(Words& w) { w.r0 = static_cast<int>(w.flags.load(kRelaxed) & 1); }
bool sees_one(const Words& w) { return w.r0 != w.r1; }
bool sees_own_bit(const Words& w) { return w.r0 == 1; }
bool sees_y_not_x(const Words& w) { return w.r0 == 1 && w.r1 == 0; }
bool neither(const Words& w) { return w.r0 == 0 && w.r1 == 0; }
bool both(const Words& w) { return w.r0 == 1 && w.r1 == 1; }

template <Atomic<int> Words::*kWrite, Atomic<int> Words::*kRead, int Words::*kResult>
void store_load(Words& w) {
  (w.*kWrite).store(1, kRelaxed);
  w.*kResult = (w.*kRead).load(kRelaxed);
}
template <Atomic<int> Words::*kWrite, Atomic<int> Words::*kRead, int Words::*kResult>
void store_wmb_load(Words& w) {
  (w.*kWrite).store(1, kRelaxed);
  fence(kRelease);
  w.*kResult = (w.*kRead).load(kRelaxed);
}
template <Atomic<int> Words::*kWrite, Atomic<int> Words::*kRead, int Words::*kResult>
void store_mb_load(Words& w) {
  (w.*kWrite).store(1, kRelaxed);
  fence(kSeqCst);
  w.*kResult = (w.*kRead).load(kRelaxed);
}
template <Atomic<int> Words::*kWrite, Atomic<int> Words::*kRead, int Words::*kResult>
void release_acquire(Words& w) {
  (w.*kWrite).store(1, kRelease);
  w.*kResult = (w.*kRead).load(kAcquire);
}
template <Atomic<int> Words::*kWrite, Atomic<int> Words::*kRead, int Words::*kResult>
void seq_cst(Words& w) {
  (w.*kWrite).store(1, kSeqCst);
  w.*kResult = (w.*kRead).load(kSeqCst);
}
template <Atomic<int> Words::*kWrite, Atomic<int> Words::*kRead, int Words::*kResult>
void exchange_load(Words& w) {
  (w.*kWrite).exchange(1);
  w.*kResult = (w.*kRead).load(kRelaxed);
}
template <Atomic<int> Words::*kWrite, Atomic<int> Words::*kRead, int Words::*kResult>
void store_cas_load(Words& w) {
  (w.*kWrite).store(1, kRelaxed);
  std::uint64_t never = 7;
  w.flags.compare_exchange(never, 8);
  w.*kResult = (w.*kRead).load(kRelaxed);
}
template <Atomic<int> Words::*kWrite, Atomic<int> Words::*kRead, int Words::*kResult>
void load_store(Words& w) {
  w.*kResult = (w.*kRead).load(kRelaxed);
  (w.*kWrite).store(1, kRelaxed);
}
template <Atomic<int> Words::*kFirst, Atomic<int> Words::*kSecond, int Words::*kA,
          int Words::*kB>
void read_two(Words& w) {
  w.*kA = (w.*kFirst).load(kRelaxed);
  w.*kB = (w.*kSecond).load(kRelaxed);
}
template <Atomic<int> Words::*kFirst, Atomic<int> Words::*kSecond, int Words::*kA,
          int Words::*kB>
void read_rmb_read(Words& w) {
  w.*kA = (w.*kFirst).load(kRelaxed);
  fence(kAcquire);
  w.*kB = (w.*kSecond).load(kRelaxed);
}
template <Atomic<int> Words::*kFirst, Atomic<int> Words::*kSecond, int Words::*kA,
          int Words::*kB>
void acquire_two(Words& w) {
  w.*kA = (w.*kFirst).load(kAcquire);
  w.*kB = (w.*kSecond).load(kAcquire);
}
template <Atomic<int> Words::*kFirst, Atomic<int> Words::*kSecond>
void write_1_2(Words& w) {
  (w.*kFirst).store(1, kRelaxed);
  (w.*kSecond).store(2, kRelaxed);
}
template <Atomic<int> Words::*kFirst, Atomic<int> Words::*kSecond>
void write_1_wmb_2(Words& w) {
  (w.*kFirst).store(1, kRelaxed);
  fence(kRelease);
  (w.*kSecond).store(2, kRelaxed);
}

constexpr auto kX = &Words::x;
constexpr auto kY = &Words::y;
constexpr auto kR0 = &Words::r0;
constexpr auto kR1 = &Words::r1;
constexpr auto kR2 = &Words::r2;
constexpr auto kR3 = &Words::r3;

bool readers_disagree(const Words& w) {
  return w.r0 == 1 && w.r1 == 0 && w.r2 == 1 && w.r3 == 0;
}
bool both_first(const Words& w) { return now(w.x) == 1 && now(w.y) == 1; }
bool goes_back(const Words& w) { return w.r0 == 1 && w.r1 == 0; }
// R: y is 2 at the end, and whoever wrote that has not seen x.
bool r_outcome(const Words& w) { return now(w.y) == 2 && w.r0 == 0; }

const std::vector<Litmus>& rows() {
  static const std::vector<Litmus> kRows = {
      {"SB", true, {store_load<kX, kY, kR0>, store_load<kY, kX, kR1>}, neither},
      {"SB_wmb",
       true,
       {store_wmb_load<kX, kY, kR0>, store_wmb_load<kY, kX, kR1>},
       neither},
      {"SB_rel_acq",
       true,
       {release_acquire<kX, kY, kR0>, release_acquire<kY, kX, kR1>},
       neither},
      {"SB_mb",
       false,
       {store_mb_load<kX, kY, kR0>, store_mb_load<kY, kX, kR1>},
       neither},
      {"SB_seq_cst", false, {seq_cst<kX, kY, kR0>, seq_cst<kY, kX, kR1>}, neither},
      {"SB_rmw",
       false,
       {exchange_load<kX, kY, kR0>, exchange_load<kY, kX, kR1>},
       neither},
      // A compare_exchange() that fails orders no store.
      {"SB_failed_cas",
       true,
       {store_cas_load<kX, kY, kR0>, store_cas_load<kY, kX, kR1>},
       neither},

      {"MP", true, {write_x_y, read_y_x}, sees_y_not_x},
      {"MP_wmb", true, {write_x_wmb_y, read_y_x}, sees_y_not_x},
      {"MP_rmb", true, {write_x_y, read_y_rmb_x}, sees_y_not_x},
      {"MP_rel", true, {write_x_release_y, read_y_x}, sees_y_not_x},
      {"MP_acq", true, {write_x_y, acquire_y_read_x}, sees_y_not_x},
      {"MP_wmb_rmb", false, {write_x_wmb_y, read_y_rmb_x}, sees_y_not_x},
      {"MP_wmb_rmw_acq", false, {write_x_wmb_add_y, acquire_y_read_x}, sees_y_not_x},
      {"MP_wmb_cas_acq", false, {write_x_wmb_cas_y, acquire_y_read_x}, sees_y_not_x},
      {"MP_wmb_poke_acq", false, {write_x_wmb_poke_y, acquire_y_read_x}, sees_y_not_x},
      {"MP_rel_acq", false, {write_x_release_y, acquire_y_read_x}, sees_y_not_x},
      {"MP_wmb_acq", false, {write_x_wmb_y, acquire_y_read_x}, sees_y_not_x},
      {"MP_lock",
       false,
       {[](Words& w) {
          const SpinGuard guard(w.lock);
          write_x_y(w);
        },
        [](Words& w) {
          const SpinGuard guard(w.lock);
          read_y_x(w);
        }},
       [](const Words& w) { return w.r0 != w.r1; }},

      // Of a frame that is filled.  (No load of it is old, so the reader's side has no
      // rows.)
      {"MP_fill", true, {fill_add_y<kRelaxed>, acquire_y_read_frame}, sees_y_not_x},
      {"MP_fill_acq", true, {fill_add_y<kAcquire>, acquire_y_read_frame}, sees_y_not_x},
      {"MP_fill_rel",
       false,
       {fill_add_y<kRelease>, acquire_y_read_frame},
       sees_y_not_x},
      {"MP_fill_store_rel",
       false,
       {[](Words& w) {
          fill(w);
          w.y.store(1, kRelease);
        },
        acquire_y_read_frame},
       sees_y_not_x},
      {"MP_fill_wmb",
       false,
       {[](Words& w) {
          fill(w);
          fence(kRelease);
          w.y.store(1, kRelaxed);
        },
        acquire_y_read_frame},
       sees_y_not_x},
      {"CoWR_fill",
       false,
       {[](Words& w) {
         fill(w);
         w.y.fetch_add(1, kRelaxed);
         w.y.fetch_add(1, kRelaxed);
         current()->weak != nullptr ? current()->weak->settle_fills(*current())
                                    : void();
         w.r0 = filled_word(w);
       }},
       [](const Words& w) { return w.r0 == 0; }},

      {"MP_bit_spin_lock",
       false,
       {[](Words& w) { spinning(w, write_x_y); },
        [](Words& w) { spinning(w, read_y_x); }, change_flags},
       sees_one},
      {"MP_bit_lock",
       false,
       {[](Words& w) { sleeping(w, write_x_y); },
        [](Words& w) { sleeping(w, read_y_x); }, change_flags},
       sees_one},
      {"CoWR_bit_spin_lock",
       false,
       {[](Words& w) {
          spinning(w, [](Words&) {});
          look_at_flags(w);
        },
        change_flags},
       sees_own_bit},
      {"CoWR_bit_lock",
       false,
       {[](Words& w) {
          sleeping(w, [](Words&) {});
          look_at_flags(w);
        },
        change_flags},
       sees_own_bit},

      {"IRIW",
       true,
       {write_x, write_y, read_two<kX, kY, kR0, kR1>, read_two<kY, kX, kR2, kR3>},
       readers_disagree},
      {"IRIW_rmb",
       false,
       {write_x, write_y, read_rmb_read<kX, kY, kR0, kR1>,
        read_rmb_read<kY, kX, kR2, kR3>},
       readers_disagree},
      {"IRIW_acq",
       false,
       {write_x, write_y, acquire_two<kX, kY, kR0, kR1>, acquire_two<kY, kX, kR2, kR3>},
       readers_disagree},

      {"2_2W", true, {write_1_2<kX, kY>, write_1_2<kY, kX>}, both_first},
      {"2_2W_wmb", false, {write_1_wmb_2<kX, kY>, write_1_wmb_2<kY, kX>}, both_first},

      {"R",
       true,
       {write_x_y,
        [](Words& w) {
          w.y.store(2, kRelaxed);
          w.r0 = w.x.load(kRelaxed);
        }},
       r_outcome},
      {"R_mb",
       false,
       {[](Words& w) {
          w.x.store(1, kRelaxed);
          fence(kSeqCst);
          w.y.store(1, kRelaxed);
        },
        [](Words& w) {
          w.y.store(2, kRelaxed);
          fence(kSeqCst);
          w.r0 = w.x.load(kRelaxed);
        }},
       r_outcome},

      {"CoRR", false, {write_x, read_two<kX, kX, kR0, kR1>}, goes_back},
      {"CoRR_peek",
       false,
       {write_x,
        [](Words& w) {
          w.r0 = w.x.peek();
          w.r1 = w.x.load(kRelaxed);
        }},
       goes_back},
      {"CoRR_many",
       false,
       {[](Words& w) {
          for (int i = 1; i < 4; ++i) w.x.store(i, kRelaxed);
        },
        [](Words& w) {
          w.r0 = w.x.load(kRelaxed);
          w.r1 = w.x.load(kRelaxed);
          w.r2 = w.x.load(kRelaxed);
        }},
       [](const Words& w) { return w.r1 < w.r0 || w.r2 < w.r1; }},
      {"CoWR",
       false,
       {[](Words& w) {
          w.x.store(1, kRelaxed);
          w.r0 = w.x.load(kRelaxed);
        },
        [](Words& w) { w.x.store(2, kRelaxed); }},
       [](const Words& w) { return w.r0 == 0; }},
      {"CoWW",
       false,
       {[](Words& w) {
         w.x.store(1, kRelaxed);
         w.x.store(2, kRelaxed);
       }},
       [](const Words& w) { return now(w.x) != 2; }},
      {"RmwAfterOwnStore",
       false,
       {[](Words& w) {
         w.x.store(1, kRelaxed);
         w.r0 = w.x.fetch_add(1, kRelaxed);
       }},
       [](const Words& w) { return w.r0 != 1 || now(w.x) != 2; }},

      {"WRC",
       true,
       {write_x,
        [](Words& w) {
          w.r2 = w.x.load(kRelaxed);
          w.y.store(w.r2, kRelaxed);
        },
        read_y_x},
       sees_y_not_x},
      {"WRC_rel_acq",
       false,
       {write_x,
        [](Words& w) {
          w.r2 = w.x.load(kRelaxed);
          w.y.store(w.r2, kRelease);
        },
        acquire_y_read_x},
       sees_y_not_x},

      // A reader that sees what came behind the grace period sees what came before it.
      {"RCU_MP",
       false,
       {[](Words& w) {
          w.x.store(1, kRelaxed);
          w.rcu.synchronize();
          w.y.store(1, kRelaxed);
        },
        [](Words& w) {
          const RcuReadGuard guard(w.rcu);
          read_y_x(w);
        }},
       sees_y_not_x},
      {"RCU_SB",
       false,
       {[](Words& w) {
          w.x.store(1, kRelaxed);
          w.rcu.synchronize();
          w.r0 = w.y.load(kRelaxed);
        },
        [](Words& w) {
          const RcuReadGuard guard(w.rcu);
          store_load<kY, kX, kR1>(w);
        }},
       neither},

      // Allowed by Linux' model, and not modelled: a load is never later than a store.
      {"LB", false, {load_store<kX, kY, kR0>, load_store<kY, kX, kR1>}, both},
  };
  return kRows;
}

class LitmusTest : public testing::TestWithParam<Litmus> {
 protected:
  // Returns the run's outcome; the schedules are seeded alternately for two strategies.
  bool seen(const Schedule& schedule, bool weak = true) {
    words_.reset();
    state_.reset();
    state_.weak_memory = weak;
    runtime_.set_schedule(schedule);
    runtime_.run(state_, bodies_);
    if (state_.finding()) ADD_FAILURE() << state_.finding()->detail;
    return GetParam().outcome(words_);
  }
  static Schedule schedule(int run) {
    const auto seed = static_cast<std::uint64_t>(run);
    return run % 2 == 0 ? random_walk_seed(seed) : pos_seed(seed);
  }

  void SetUp() override {
    for (const Thread thread : GetParam().threads) {
      calls_.push_back([this, thread] { thread(words_); });
    }
    for (const auto& call : calls_) bodies_.push_back(call);
  }

  Words words_;
  RunState state_;
  std::vector<std::function<void()>> calls_;
  std::vector<Body> bodies_;
  FiberRuntime runtime_;
};
INSTANTIATE_TEST_SUITE_P(Table, LitmusTest, testing::ValuesIn(rows()),
                         [](const auto& info) { return info.param.name; });

TEST_P(LitmusTest, IsSeenIfAllowedAndNeverElse) {
  const int runs = GetParam().allowed ? RACIER_LITMUS_RUNS / 10 : RACIER_LITMUS_RUNS;
  int count = 0;
  int first = -1;
  for (int run = 0; run < runs; ++run) {
    if (!seen(schedule(run))) continue;
    if (count++ == 0) first = run;
  }
  RecordProperty("seen", count);
  RecordProperty("first", first);
  EXPECT_EQ(count > 0, GetParam().allowed)
      << "seen " << count << ", first at " << first;
}

TEST_P(LitmusTest, IsNeverSeenWithoutWeakMemory) {
  for (int run = 0; run < 1000; ++run) EXPECT_FALSE(seen(schedule(run), false)) << run;
}

// All that a weak memory chose is in the schedule, and what it need not choose is not.
TEST_P(LitmusTest, ReplaysFromItsSchedule) {
  Trace first, second;
  for (int run = 0; run < 200; ++run) {
    runtime_.set_observer(&first);
    const bool outcome = seen(schedule(run));
    const Words before{
        .r0 = words_.r0, .r1 = words_.r1, .r2 = words_.r2, .r3 = words_.r3};
    const Schedule recorded = runtime_.recorded();
    for (const Choice& choice : recorded.choices) EXPECT_NE(choice.value, 0u);
    runtime_.set_observer(&second);
    EXPECT_EQ(seen(recorded), outcome) << run;
    EXPECT_EQ(std::tie(before.r0, before.r1, before.r2, before.r3),
              std::tie(words_.r0, words_.r1, words_.r2, words_.r3));
    EXPECT_EQ(first.hash(), second.hash()) << run;
    EXPECT_EQ(runtime_.recorded(), recorded) << run;
  }
}

}  // namespace
}  // namespace racier
