// fuzz/mmus_agree_test.cc - tests of mmus_agree.h.
#include "fuzz/mmus_agree.h"

#include <gtest/gtest.h>

#include "core/program/bytes.h"
#include "core/runtime/sanitizers.h"
#include "fuzz/corpus_for_test.h"
#include "fuzz/finding_file.h"
#include "fuzz/mutation.h"

namespace racier::fuzz {
namespace {

// With weak memory, too, and what changes make of them.
TEST(MmusAgree, ProgramsOfTheCorpusAreTheSameOnBoth) {
  MmusAgree target({});
  for (const char* const folder : {"programs", "found"}) {
    for (const CorpusProgram& file : corpus_programs(folder)) {
      Bytes bytes = program::encode(file.program);
      for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const auto found = target.run_bytes(bytes);
        ASSERT_FALSE(found) << file.name << " " << seed << "\n" << finding_text(*found);
        bytes = mutate(bytes, 1024, seed);
      }
    }
  }
}

// A bug ends a run in the same step, with the same words.  (What ThreadSanitizer
// reports is another matter: it does not see what the host's MMU does.)
TEST(MmusAgree, BugsAreTheSameOnBoth) {
  if (sanitizers::tsan()) GTEST_SKIP() << "ThreadSanitizer sees one of them only";
  int found = 0;
  for (const CorpusProgram& file : corpus_programs("bugs")) {
    Options options;
    options.bugs = file.program.bugs;
    MmusAgree target(options);
    const auto shown = target.run(file.program);
    ASSERT_TRUE(shown) << file.name;
    EXPECT_NE(shown->finding.title, "two MMUs disagree")
        << file.name << ": " << shown->finding.detail;
    ++found;
  }
  EXPECT_GE(found, kBugs);
}

}  // namespace
}  // namespace racier::fuzz
