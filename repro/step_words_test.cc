#include "repro/step_words.h"

#include <gtest/gtest.h>

#include "core/program/parse.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"

namespace racier::repro {
namespace {

class StepWordsTest : public testing::Test {
 protected:
  StepWordsTest() {
    program::RunOptions options;
    options.audit = options.teardown = false;
    const program::Program program =
        program::parse(
            "setup\n  p0 = process\n  m0 = mmap p0 1 rw private\n"
            "  write p0 m0 0 0\n")
            .program.value();
    runner_.run(program, alone_, options);
    begin_.emplace(*runner_.machine(), true);
    end_.emplace(*runner_.machine(), false);
    words_.emplace(*begin_, *end_, runner_.machine()->region.live());
  }

  FiberRuntime alone_;
  program::Runner runner_{alone_};
  std::optional<PlaceNames> begin_, end_;
  std::optional<StepWords> words_;
};

TEST_F(StepWordsTest, AWordIsNamedByWhatItWasIfThatSaysMore) {
  Machine& machine = *runner_.machine();
  const std::byte* const table = machine.frames.data(runner_.process(0)->context.root);
  EXPECT_EQ(end_->name(table).substr(0, 6), "frame ");
  EXPECT_EQ(words_->object(table), "mm 1 pgd [0]");
  EXPECT_EQ(words_->object(&machine.page(5).flags), "page 5 flags");
}

TEST_F(StepWordsTest, ValuesAreSpelledAsWhatTheyAre) {
  EXPECT_EQ(words_->value("page 5 flags", 0b10001, 8), "PG_locked PG_lru");
  EXPECT_EQ(words_->value("page 5 flags", 0, 8), "0");
  EXPECT_EQ(words_->value("page 5 mapcount", 0xffff'ffff, 4), "-1");
  EXPECT_EQ(words_->value("mm 1 pte [3]", 0, 8), "none");
  EXPECT_EQ(words_->value("mm 1 pte [3]", 0x5043, 8), "page 5 rw dirty");
  EXPECT_EQ(words_->value("mm 1 pte [3]", 0x3000, 8), "swap 0:3");
  EXPECT_EQ(words_->value("mm 1 pte [3]", 0x5200, 8), "migration of page 5");
  EXPECT_EQ(words_->value("word 1", 65535, 8), "65535");
  EXPECT_EQ(words_->value("word 1", 65536, 8), "0x10000");
  EXPECT_EQ(words_->value("user word in frame 5", 0x7000'0000'0000, 8),
            "0x700000000000");
  EXPECT_EQ(words_->value("word 1", 0x7000'0000'0000, 8), "a pointer");
  const auto count = reinterpret_cast<std::uintptr_t>(&runner_.process(0)->mmap_sem);
  EXPECT_EQ(words_->value("word 1", count | 1, 8), "&mm 1 mmap_sem | 1");
}

TEST_F(StepWordsTest, LocksOfOneClassAreToldApart) {
  Machine& machine = *runner_.machine();
  const LockClass some{"some_lock", 1};
  const LockClass pages{"page_lock", 2};
  int here = 0, there = 0;
  EXPECT_EQ(words_->lock(&here, some), "some_lock");
  EXPECT_EQ(words_->lock(&there, some), "some_lock #2");
  EXPECT_EQ(words_->lock(&here, some), "some_lock");
  EXPECT_EQ(words_->lock(&machine.page(5).flags, pages), "page_lock of page 5");
  EXPECT_EQ(words_->lock(&machine.lru.lru_lock, machine.lru.lru_lock.lock_class()),
            "lru_lock");
}

TEST(StepWords, SayWhatAnAccessDid) {
  const auto said = &StepWords::of_access;
  EXPECT_EQ(said(Access::kRead, "x", "1", "1"), "reads x = 1");
  EXPECT_EQ(said(Access::kRead, "x", "", ""), "reads x");
  EXPECT_EQ(said(Access::kWrite, "x", "", ""), "writes x");
  EXPECT_EQ(said(Access::kWrite, "x", "1", "1"), "writes x = 1 again");
  EXPECT_EQ(said(Access::kRmw, "x", "1", "1"), "x stays 1");
  EXPECT_EQ(said(Access::kRmw, "x", "1", "2"), "x: 1 → 2");
  EXPECT_EQ(said(Access::kRmw, "page 5 flags", "PG_lru", "PG_locked PG_lru"),
            "sets PG_locked of page 5");
  EXPECT_EQ(said(Access::kRmw, "page 5 flags", "PG_lru", "0"),
            "clears PG_lru of page 5");
}

TEST(StepWords, CountsAreKnownByTheirName) {
  for (const char* const name : {"page 5 count", "page 5 mapcount", "mm 1 mm_users"}) {
    EXPECT_TRUE(is_count(name)) << name;
  }
  EXPECT_FALSE(is_count("page 5 flags"));
}

}  // namespace
}  // namespace racier::repro
