// core/mm/exec_test.cc - the first stack of a program.
#include "core/mm/exec.h"

#include "core/mm/expand_stack.h"
#include "core/mm/reclaim.h"
#include "core/mm/schemes_for_test.h"

namespace racier {
namespace {

struct Exec : EachScheme {
  Result<Mm*> exec(std::uint64_t args, std::uint64_t shift) {
    return exec_mm(m, {args, shift},
                   [&](Mm& mm, VirtAddr at) { return try_write(mm, at, 5); });
  }
};
INSTANTIATE_TEST_SUITE_P(Schemes, Exec, testing::ValuesIn(EachScheme::names()),
                         EachScheme::name_of);

TEST_P(Exec, TheArgumentsAreWhereTheStackIs) {
  for (const std::uint64_t shift : {0ull, 1ull, 2ull, 3ull, 7ull, 512ull}) {
    EXPECT_EQ(tell([&] {
                const Result<Mm*> made = exec(3, shift);
                ASSERT_TRUE(made.ok());
                Mm& mm = **made;
                EXPECT_EQ(mm.map_count, 1);
                const VirtRange stack = mm.vmas.first()->range();
                EXPECT_EQ(stack.pages(), 3u);
                EXPECT_EQ(stack.end, 0x7fff'ffff'f000 - (shift << kPageShift));
                for (std::uint64_t i = 0; i < 3; ++i) {
                  EXPECT_EQ(read(mm, page_at(stack.start, i)).value, 5u);
                  EXPECT_EQ(found(mm, page_at(stack.start, i), stack.start),
                            std::to_string(i) + " ");
                }
                EXPECT_EQ(rss(mm), "3 3");
                EXPECT_EQ(tables(mm), 4);
                write(mm, stack.start - kPageSize, 6);
                mmput(m, mm);
              }),
              "");
    expect_nothing_left();
  }
}

TEST_P(Exec, TooManyArgumentsAreRefused) {
  EXPECT_EQ(tell([&] {
              const Result<Mm*> made = exec(kStackPagesMax + 1, 0);
              EXPECT_EQ(made.status(), Status::kFault);
            }),
            "");
  expect_nothing_left();
}

TEST_P(Exec, WithoutMemoryNothingIsLeft) {
  int failed = 0;
  for (std::uint32_t nth = 1; nth <= 20; ++nth) {
    EXPECT_EQ(tell([&] {
                current()->fail_nth = nth;
                const Result<Mm*> made = exec(2, 513);
                current()->fail_nth = 0;
                failed += made.ok() ? 0 : 1;
                if (made.ok()) mmput(m, **made);
              }),
              "");
    expect_nothing_left();
  }
  EXPECT_GE(failed, 8);
}

// In every schedule a walk finds the pages of a stack that is shifted.
TEST_P(Exec, ShiftingHidesNoPage) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    boot(m, run);
    run.reset();
    Mm* mm = nullptr;
    const auto execs = [&] { mm = *exec(2, 1); };
    const auto walks = [&] { shrink_lru(m, 4); };
    const auto finding = run_tasks(run, random_walk_seed(seed), {execs, walks});
    ASSERT_EQ(finding ? finding->title + finding->detail : "", "") << "seed " << seed;
    const auto look = [&] {
      EXPECT_EQ(read(*mm, mm->vmas.first()->vm_start).value, 5u);
      mmput(m, *mm);
    };
    ASSERT_EQ(run_alone(run, look), std::nullopt);
  }
}

}  // namespace
}  // namespace racier
