// fuzz/schemes_agree_test.cc
#include "fuzz/schemes_agree.h"

#include <gtest/gtest.h>

#include "core/program/bytes.h"
#include "fuzz/corpus_for_test.h"
#include "fuzz/finding_file.h"
#include "fuzz/mutation.h"

namespace racier::fuzz {
namespace {

TEST(SchemesAgree, ChangedProgramsOfTheCorpusDo) {
  SchemesAgree target({});
  for (const CorpusProgram& file : corpus_programs("programs")) {
    Bytes bytes = program::encode(file.program);
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto found = target.run_bytes(bytes);
      ASSERT_FALSE(found) << file.name << " " << seed << "\n" << finding_text(*found);
      bytes = mutate(bytes, 1024, seed);
    }
  }
}

// The seeds are fixed: so are the programs.
TEST(SchemesAgree, MostProgramsAreCompared) {
  SchemesAgree target({});
  Bytes bytes = program::encode(corpus_programs("programs").front().program);
  constexpr std::uint64_t kPrograms = 300;
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    ASSERT_FALSE(target.run_bytes(bytes)) << seed;
    bytes = mutate(bytes, 1024, seed);
  }
  const program::AgreementCounts& counts = target.counts();
  EXPECT_EQ(counts.compared + counts.not_compared(), kPrograms);
  EXPECT_GE(counts.compared, kPrograms * 9 / 10) << target.summary();
  EXPECT_NE(target.summary().find(" programs; not compared: "), std::string::npos);
}

TEST(SchemesAgree, WhatOneDesignFindsReplays) {
  Options options;
  options.bugs.arm(Bug::kSwapinYoungestAnonVma);
  SchemesAgree target(options);
  for (const CorpusProgram& file : corpus_programs("bugs")) {
    if (file.name != "swapin_youngest_anon_vma") continue;
    const auto found = target.run(file.program);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->program.machine.rmap, "anon_vma_chain");
    EXPECT_EQ(found->replay, "");
    FiberRuntime alone;
    FiberRuntime tasks;
    program::Runner runner(alone);
    const auto& result = runner.run(found->program, tasks, {});
    EXPECT_TRUE(program::judge(found->program, result).met());
    const auto again = target.replay(found->program);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->signature(), found->finding.signature());
  }
}

}  // namespace
}  // namespace racier::fuzz
