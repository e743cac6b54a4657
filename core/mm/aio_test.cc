// core/mm/aio_test.cc
#include "core/mm/aio.h"

#include "core/base/mark.h"
#include "core/mm/mm_for_test.h"
#include "core/mm/task_mm.h"

namespace racier {
namespace {

struct Aio : MmForTest {
  UserResult do_one() {
    EXPECT_EQ(start_kthread(kthread), Status::kOk);
    const UserResult result = aio_run(m, kthread, 0);
    stop_kthread(kthread);
    return result;
  }
  void aio_story(FunctionRef<void(Mm&)> body) {
    story([&](Mm& mm) {
      make_kthread(kthread);
      body(mm);
      end_thread();
    });
    EXPECT_EQ(m.kiocb_cache.live_objects(), 0u);
  }
  void end_thread() { EXPECT_EQ(end_kthread(m, kthread), Status::kOk); }

  TaskStruct kthread;
};

TEST_F(Aio, RequestsAreDoneInTheirOrder) {
  aio_story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1);
    EXPECT_EQ(do_one().status, Status::kNoEntry);
    EXPECT_EQ(aio_submit(m, mm, at, true, 7), Status::kOk);
    EXPECT_EQ(aio_submit(m, mm, at, false, 0), Status::kOk);
    EXPECT_EQ(mm.mm_users.read(), 1);
    EXPECT_EQ(mm.mm_count.read(), 3);
    EXPECT_EQ(read(mm, at).value, 0u);
    EXPECT_EQ(do_one().status, Status::kOk);
    EXPECT_EQ(read(mm, at).value, 7u);
    EXPECT_EQ(do_one().value, 7u);
    EXPECT_EQ(mm.mm_count.read(), 2);  // the thread's
  });
}

TEST_F(Aio, RequestsEndAsAccessesDo) {
  aio_story([&](Mm& mm) {
    const VirtAddr at = map(mm, 1, kVmRead);
    EXPECT_EQ(aio_submit(m, mm, at, true, 7), Status::kOk);
    EXPECT_EQ(do_one().status, Status::kFault);
    current()->fail_nth = 1;
    EXPECT_EQ(aio_submit(m, mm, at, true, 7), Status::kNoMemory);
    EXPECT_EQ(do_one().status, Status::kNoEntry);
  });
}

TEST_F(Aio, LastUserCallsRequestsOff) {
  aio_story([&](Mm& mm) {
    Mm* const other = mm_create(m);
    const VirtAddr at = map(*other, 1);
    const VirtAddr mine = map(mm, 1);
    EXPECT_EQ(aio_submit(m, *other, at, true, 1), Status::kOk);
    EXPECT_EQ(aio_submit(m, mm, mine, true, 2), Status::kOk);
    EXPECT_EQ(aio_submit(m, *other, at, true, 3), Status::kOk);
    mmput(m, *other);
    EXPECT_EQ(m.mm_cache.live_objects(), 1u);
    EXPECT_EQ(m.kiocb_cache.live_objects(), 1u);
    EXPECT_EQ(do_one().value, 2u);
    EXPECT_EQ(do_one().status, Status::kNoEntry);
  });
}

// Whoever the schedule lets go first.
TEST_F(Aio, LastUserWaitsForWhatHasBegun) {
  int waited = 0;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    run.reset();
    boot(m, run);
    std::construct_at(&kthread);
    Mm* mm = nullptr;
    ASSERT_EQ(run_alone(run,
                        [&] {
                          make_kthread(kthread);
                          mm = mm_create(m);
                          EXPECT_EQ(aio_submit(m, *mm, map(*mm, 1), true, 7),
                                    Status::kOk);
                        }),
              std::nullopt);
    ASSERT_EQ(run_tasks(run, random_walk_seed(seed),
                        {[&] { do_one(); }, [&] { mmput(m, *mm); }}),
              std::nullopt);
    waited += run.marks[static_cast<int>(Mark::kExitAioWaited)] > 0 ? 1 : 0;
    ASSERT_EQ(run_alone(run, [&] { end_thread(); }), std::nullopt);
    expect_nothing_left();
  }
  EXPECT_GT(waited, 0);
}

}  // namespace
}  // namespace racier
