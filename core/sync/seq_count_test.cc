// core/sync/seq_count_test.cc - a torn read is seen as torn.
#include "core/sync/seq_count.h"

#include "core/sync/spin_lock.h"
#include "core/sync/worlds_test.h"

namespace racier {
namespace {

class SeqCountTest : public InEveryWorld {};
INSTANTIATE_TEST_SUITE_P(Worlds, SeqCountTest, testing::ValuesIn(kWorlds), world_name);

constexpr auto kRelaxed = std::memory_order_relaxed;

struct Pair {
  SpinLock lock{kLockA};
  SeqCount sequence;
  Atomic<int> a{0};
  Atomic<int> b{0};

  void write(int value) {
    const SpinGuard guard(lock);
    sequence.write_begin();
    a.store(value, kRelaxed);
    b.store(value, kRelaxed);
    sequence.write_end();
  }
};

TEST_P(SeqCountTest, AReadThatIsNotRetriedIsWhole) {
  repeat([&] {
    Pair pair;
    const auto writes = [&] {
      for (int i = 1; i <= 5; ++i) pair.write(i);
    };
    const auto reads = [&] {
      for (int i = 0; i < 5; ++i) {
        std::uint32_t sequence;
        int a;
        int b;
        do {
          sequence = pair.sequence.read_begin();
          a = pair.a.load(kRelaxed);
          b = pair.b.load(kRelaxed);
        } while (pair.sequence.read_retry(sequence));
        EXPECT_EQ(a, b);
      }
    };
    EXPECT_EQ(run({writes, reads, writes, reads}), "");
  });
}

TEST(SeqCountFibers, ATornReadHappensAndIsSeen) {
  int torn = 0;
  for (int seed = 0; seed < 100; ++seed) {
    Pair pair;
    const auto reads = [&] {
      const std::uint32_t sequence = pair.sequence.read_begin();
      const bool whole = pair.a.load(kRelaxed) == pair.b.load(kRelaxed);
      if (whole) return;
      ++torn;
      EXPECT_TRUE(pair.sequence.read_retry(sequence));
    };
    EXPECT_FALSE(run_tasks(random_walk_seed(seed), {[&] { pair.write(1); }, reads}));
  }
  EXPECT_GT(torn, 0);
}

}  // namespace
}  // namespace racier
