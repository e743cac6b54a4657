// core/program/bytes_test.cc
#include "core/program/bytes.h"

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/program/byte_io.h"
#include "core/program/generate.h"
#include "core/program/ops.h"
#include "core/program/parse.h"
#include "core/program/print.h"

namespace racier::program {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes random_bytes(Random& random, std::size_t size) {
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
  return bytes;
}

TEST(ByteIo, NumbersRoundTrip) {
  for (const std::uint64_t value :
       {0ull, 1ull, 127ull, 128ull, 16383ull, 16384ull, ~0ull}) {
    Bytes bytes;
    ByteWriter(bytes).number(value);
    ByteReader in(bytes);
    EXPECT_EQ(in.number(), value);
    EXPECT_TRUE(in.at_end());
  }
}

TEST(ByteIo, BehindTheEndAreZeroes) {
  ByteReader in({});
  EXPECT_EQ(in.byte(), 0);
  EXPECT_EQ(in.number(), 0u);
}

TEST(Decode, EveryStringOfBytesIsAValidProgram) {
  Random random(1);
  for (int i = 0; i < 1500; ++i) {
    const Program program = decode(random_bytes(random, random.below(400)));
    const auto problems = validate(program);
    ASSERT_TRUE(problems.empty()) << problems[0] << "\n" << print(program);
    ASSERT_EQ(decode(encode(program)), program) << print(program);
    ASSERT_EQ(parse(print(program)).program, program);
  }
}

TEST(Decode, EncodingIsANormalForm) {
  Random random(2);
  for (int i = 0; i < 1000; ++i) {
    const Bytes once = encode(decode(random_bytes(random, random.below(400))));
    ASSERT_EQ(encode(decode(once)), once);
  }
}

TEST(Decode, NothingIsTheEmptyProgram) {
  const Program program = decode({});
  EXPECT_EQ(program.calls(), 0u);
  EXPECT_TRUE(program.tasks.empty());
}

TEST(Encode, KeepsWhatAFuzzerExplores) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Program program = generate(seed);
    program.machine.frames = 64;
    ASSERT_EQ(decode(encode(program)), program) << print(program);
  }
}

TEST(Encode, KeepsAReplayedSchedule) {
  Program program = generate(3);
  program.schedule = {.strategy = StrategyKind::kReplay,
                      .overrides = {{1000, 3}},
                      .switches = {{0, 700000, 1}, {1, 3, 2}},
                      .choices = {{2, 1, ~0ull}}};
  EXPECT_EQ(decode(encode(program)), program);
}

TEST(Encode, KeepsTheStrategyAndItsDepth) {
  Program program = generate(4);
  for (int kind = 0; kind < kStrategyKinds; ++kind) {
    program.schedule = {};
    program.schedule.strategy = static_cast<StrategyKind>(kind);
    program.schedule.depth = has_depth(program.schedule.strategy) ? kDepthMax : 0;
    EXPECT_EQ(decode(encode(program)), program) << kind;
  }
}

TEST(Encode, StrategiesKeepTheirNumbers) {
  // As for ops: a corpus of bytes names them by number.
  const std::vector<std::string> names = {
      "run_to_block", "random_walk", "pos",        "replay",     "pct",
      "surw",         "reads_from",  "starvation", "exhaustive", "portfolio"};
  ASSERT_EQ(static_cast<std::size_t>(kStrategyKinds), names.size());
  for (int kind = 0; kind < kStrategyKinds; ++kind) {
    EXPECT_EQ(strategy_name(static_cast<StrategyKind>(kind)),
              names[static_cast<std::size_t>(kind)]);
  }
}

TEST(Encode, DropsWhatBytesDoNotHold) {
  const Parsed parsed = parse(R"(# A comment.
machine frames=100
bug B07
setup
  p = process -> ok
  m = mmap p 40 rw private
  read p m 16 8 (fail_nth: 700)
expect any
)");
  ASSERT_TRUE(parsed.program);
  const Program program = decode(encode(*parsed.program));
  EXPECT_EQ(print(program), R"(machine frames=128
setup
  p0 = process
  m0 = mmap p0 8 rw private
  read p0 m0 0 0 (fail_nth: 255)
expect clean
)");
  Program fitted = *parsed.program;
  fit(fitted);
  EXPECT_EQ(program, fitted);
}

TEST(Encode, CutsWhatIsTooLong) {
  Program program = generate(1);
  program.setup.resize(200, program.setup[0]);
  EXPECT_EQ(decode(encode(program)).setup.size(), kFuzzedCallsMax);
}

TEST(Encode, OpsKeepTheirNumbers) {
  // A corpus of bytes names ops by number: these never change, new ones get new
  // numbers.
  const std::vector<std::string> names = {
      "process",     "mmap",    "mmap_file", "mmap_over",    "munmap",
      "mprotect",    "brk",     "read",      "write",        "add",
      "fetch",       "fork",    "clone",     "exit",         "page_referenced",
      "unmap_page",  "reclaim", "mmap_at",   "mmap_file_at", "munmap_at",
      "mprotect_at", "brk_at",  "read_at",   "write_at",     "fetch_at"};
  ASSERT_GE(op_table().size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    EXPECT_EQ(op_table()[i].name, names[i]);
}

}  // namespace
}  // namespace racier::program
