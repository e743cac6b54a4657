#include "fuzz/mutation.h"

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/program/bytes.h"
#include "fuzz/corpus_for_test.h"

namespace racier::fuzz {
namespace {

std::vector<Bytes> seeds() {
  std::vector<Bytes> seeds;
  for (const auto& seed : corpus_programs("programs")) {
    seeds.push_back(program::encode(seed.program));
  }
  return seeds;
}

Bytes random_bytes(Random& random) {
  Bytes bytes(random.below(200));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
  return bytes;
}

bool is_normal(const Bytes& bytes) {
  return bytes.empty() || program::encode(program::decode(bytes)) == bytes;
}

// What changes apart from each other.
bool same_calls(const Bytes& a, const Bytes& b) {
  const auto first = program::decode(a), second = program::decode(b);
  return first.setup == second.setup && first.tasks == second.tasks;
}
bool same_schedule(const Bytes& a, const Bytes& b) {
  return program::decode(a).schedule == program::decode(b).schedule;
}

TEST(Mutation, GivesNormalFormsThatFit) {
  Random random(1);
  for (const std::size_t size_max : {0, 1, 8, 16, 40, 100, 1024}) {
    for (const Bytes& seed : seeds()) {
      for (int i = 0; i < 8; ++i) {
        const Bytes changed = mutate(seed, size_max, random.next());
        EXPECT_LE(changed.size(), size_max);
        EXPECT_TRUE(is_normal(changed));
      }
    }
  }
}

TEST(Mutation, TakesAnyBytes) {
  Random random(2);
  for (int i = 0; i < 3000; ++i) {
    const Bytes a = random_bytes(random);
    const Bytes b = random_bytes(random);
    for (const Bytes& changed :
         {mutate(a, 300, random.next()), cross(a, b, 300, random.next())}) {
      EXPECT_LE(changed.size(), 300u);
      EXPECT_TRUE(is_normal(changed));
    }
  }
}

TEST(Mutation, TheSameSeedGivesTheSame) {
  const auto all = seeds();
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Bytes& a = all[seed % all.size()];
    const Bytes& b = all[(seed + 1) % all.size()];
    EXPECT_EQ(mutate(a, 200, seed), mutate(a, 200, seed));
    EXPECT_EQ(cross(a, b, 200, seed), cross(a, b, 200, seed));
  }
}

TEST(Mutation, CallsAndScheduleChangeApart) {
  int schedule = 0, calls = 0, both = 0;
  std::uint64_t draw = 0;
  for (const auto& seed : corpus_programs("programs")) {
    if (seed.program.tasks.size() < 2) continue;
    const Bytes bytes = program::encode(seed.program);
    for (int i = 0; i < 100; ++i) {
      const Bytes changed = mutate(bytes, 1024, ++draw);
      if (changed == bytes) continue;
      if (same_calls(bytes, changed))
        ++schedule;
      else if (same_schedule(bytes, changed))
        ++calls;
      else
        ++both;
    }
  }
  EXPECT_GT(schedule, calls);
  EXPECT_GT(calls, both);
  EXPECT_GT(both, 0);
}

TEST(Mutation, AProgramWithoutARaceChangesItsCalls) {
  for (const auto& seed : corpus_programs("programs")) {
    if (seed.program.tasks.size() >= 2) continue;
    const Bytes bytes = program::encode(seed.program);
    int changed = 0;
    for (std::uint64_t i = 0; i < 50; ++i)
      changed += !same_calls(bytes, mutate(bytes, 1024, i));
    EXPECT_GT(changed, 25) << seed.name;
  }
}

TEST(Mutation, NothingBecomesAProgram) {
  EXPECT_GT(program::decode(mutate({}, 1024, 1)).calls(), 0u);
}

TEST(Mutation, CrossHasPartsOfBoth) {
  const auto all = seeds();
  int of_both = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Bytes& a = all[seed % all.size()];
    const Bytes& b = all[(seed * 7 + 3) % all.size()];
    const Bytes child = cross(a, b, 1024, seed);
    EXPECT_TRUE(is_normal(child));
    of_both += child != a && child != b;
  }
  EXPECT_GT(of_both, 200 / 3) << "two like programs may have a child like them";
}

}  // namespace
}  // namespace racier::fuzz
