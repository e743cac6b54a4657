#include "fuzz/fuzzer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/random.h"
#include "core/program/begins_as_race_for_test.h"
#include "core/program/bytes.h"
#include "core/program/parse.h"
#include "core/runtime/sanitizers.h"
#include "core/sync/atomic.h"
#include "fuzz/corpus_for_test.h"
#include "fuzz/finding_file.h"

namespace racier::fuzz {
namespace {

using program::decode;
using program::encode;

// Returns the report of what was found, with its program.
std::string said(const std::optional<Found>& found) {
  return found ? finding_report(*found) + finding_text(*found) : "";
}

Options armed(Bug bug) {
  Options options;
  options.bugs.arm(bug);
  return options;
}

TEST(Fuzzer, RandomBytesRunClean) {
  Fuzzer fuzzer({});
  Random random(1);
  for (int i = 0; i < 10'000; ++i) {
    std::vector<std::uint8_t> bytes(random.below(400));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
    ASSERT_EQ(said(fuzzer.run_bytes(bytes)), "") << "input " << i;
  }
}

// (With ThreadSanitizer each fourth size, of each program other ones.)
TEST(Fuzzer, TruncatedInputsRunClean) {
  Fuzzer fuzzer({});
  const std::size_t each = sanitizers::tsan() ? 4 : 1;
  std::size_t first = 0;
  for (const char* folder : {"programs", "bugs"}) {
    for (const auto& seed : corpus_programs(folder)) {
      const auto bytes = encode(seed.program);
      for (std::size_t size = first++ % each; size <= bytes.size(); size += each) {
        const auto found = fuzzer.run_bytes(std::span(bytes).first(size));
        ASSERT_EQ(said(found), "") << seed.name << " cut to " << size << " bytes";
      }
    }
  }
}

TEST(Fuzzer, SeedsRunTwiceAlike) {
  Options options;
  options.check_determinism = 1;
  Fuzzer fuzzer(options);
  for (const auto& seed : corpus_programs("programs")) {
    for (std::uint64_t i = 0; i < 20; ++i) {
      program::Program program = decode(encode(seed.program));
      program.schedule = {};
      program.schedule.strategy = static_cast<StrategyKind>(i % kStrategyKinds);
      program.schedule.seed = i;
      ASSERT_EQ(said(fuzzer.run(program)), "") << seed.name << " seed " << i;
    }
  }
}

TEST(Fuzzer, ArmedBugsAreFoundAndReplay) {
  for (const auto& seed : corpus_programs("bugs")) {
    const auto row = std::find_if(
        bug::rows().begin(), bug::rows().end(),
        [&](const bug::Row& row) { return seed.program.bugs.has(row.bug); });
    ASSERT_NE(row, bug::rows().end()) << seed.name;
    Fuzzer fuzzer(armed(row->bug));
    const auto found = fuzzer.run_bytes(encode(seed.program));
    ASSERT_TRUE(found) << seed.name;
    if (!program::ended_as_race(seed.program.bugs, found->finding.kind)) {
      EXPECT_EQ(found->finding.kind, row->shows) << seed.name;
    }

    // The file alone is enough.
    const auto parsed = program::parse(finding_text(*found));
    ASSERT_TRUE(parsed.program) << parsed.error.str(seed.name);
    const auto again = Fuzzer({}).replay(*parsed.program);
    ASSERT_TRUE(again) << finding_text(*found);
    EXPECT_EQ(again->signature(), found->finding.signature());
    EXPECT_TRUE(parsed.program->bugs.has(row->bug));
    EXPECT_EQ(parsed.program->expectation.finding, found->finding.kind);
    EXPECT_EQ(parsed.program->expectation.title, found->finding.title);
  }
}

// Returns the steps of a run as a hash, and what it found.
std::string did(Fuzzer& fuzzer, const program::Program& program) {
  const std::string found = said(fuzzer.run(program));
  return std::to_string(fuzzer.trace_hash()) + "\n" + found;
}

TEST(Fuzzer, AFindingLeavesNothingBehind) {
  const auto bugs = corpus_programs("bugs");
  const auto programs = corpus_programs("programs");
  Options options = armed(*bug::find(bugs.front().name));
  options.check_determinism = 1;  // has traces
  Fuzzer fuzzer(options);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(fuzzer.run_bytes(encode(bugs.front().program)));
    const auto& next = programs[static_cast<std::size_t>(i) % programs.size()];
    const program::Program program = decode(encode(next.program));
    Fuzzer fresh(options);
    const std::string expected = did(fresh, program);
    ASSERT_NE(fresh.trace_hash(), 0u) << next.name;
    EXPECT_EQ(did(fuzzer, program), expected) << next.name;
  }
}

// Takes a step that no schedule has, in every other run.
class Planted final : public program::CallObserver {
 public:
  void call_begins(int list, std::uint32_t call) override {
    if (list == 1 && call == first_call_ && ++runs_ % 2 == 0) word_.load();
  }
  explicit Planted(std::uint32_t first_call) : first_call_(first_call) {}

 private:
  std::uint32_t first_call_;
  int runs_ = 0;
  Atomic<int> word_{0};
};

TEST(Fuzzer, TellsOfAPlantedNondeterminism) {
  Options options;
  options.check_determinism = 1;
  Fuzzer fuzzer(options);
  const program::Program program =
      *program::parse("setup\n  p0 = process\ntask A\n  m0 = mmap p0 1 rw private\n")
           .program;
  EXPECT_EQ(said(fuzzer.run(program)), "");
  Planted planted(1);
  fuzzer.set_call_observer(&planted);
  const auto found = fuzzer.run(program);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->finding.kind, FindingKind::kReplay);
  EXPECT_NE(found->finding.detail.find("step 1 of the run"), std::string::npos)
      << found->finding.detail;
}

TEST(Fuzzer, ALongProgramIsNoLivelock) {
  const auto seed = corpus_programs("programs").front();
  Options options;
  options.steps_max = 30;
  Fuzzer fuzzer(options);
  EXPECT_EQ(said(fuzzer.run_bytes(encode(seed.program))), "");
}

}  // namespace
}  // namespace racier::fuzz
