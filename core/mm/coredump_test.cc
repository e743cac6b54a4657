// core/mm/coredump_test.cc
#include "core/mm/coredump.h"

#include "core/mm/mm_for_test.h"

namespace racier {
namespace {

// What is cached of files stays.
struct Coredump : MmForTest {
  void of_process(FunctionRef<void(Mm&)> body) {
    EXPECT_EQ(tell([&] {
                Mm* const mm = mm_create(m);
                body(*mm);
                mmput(m, *mm);
              }),
              "");
  }
};

TEST_F(Coredump, ReadsWhatIsMapped) {
  of_process([&](Mm& mm) {
    EXPECT_EQ(do_coredump(m, mm), 0u);
    map(mm, 2);
    map(mm, 1, 0);
    map_file(mm, 0, 3);
    EXPECT_EQ(do_coredump(m, mm), 6u);
    EXPECT_TRUE(mm.is(MmFlag::kKilled));
  });
}

TEST_F(Coredump, LeavesOutWhatCannotBeRead) {
  of_process([&](Mm& mm) {
    // Behind the end of the file, and behind the limit.
    map_file(mm, 0, 4, m.options().file_pages - 1);
    map(mm, kDumpedPagesMax + 5);
    EXPECT_EQ(do_coredump(m, mm), 1 + kDumpedPagesMax);
  });
}

}  // namespace
}  // namespace racier
