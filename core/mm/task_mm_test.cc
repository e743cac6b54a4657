// core/mm/task_mm_test.cc
#include "core/mm/task_mm.h"

#include "core/mm/aio.h"
#include "core/mm/mm_for_test.h"
#include "core/mm/oom.h"
#include "core/mm/proc.h"

namespace racier {
namespace {

struct TaskMm : MmForTest {
  TaskStruct task;
  TaskStruct kthread;
};

TEST_F(TaskMm, IsLentWithAUserReference) {
  story([&](Mm& mm) {
    EXPECT_EQ(get_task_mm(task), nullptr);
    mmget(mm);
    set_task_mm(task, mm);
    EXPECT_EQ(get_task_mm(task), &mm);
    EXPECT_EQ(mm.mm_users.read(), 3);
    mmput(m, mm);
    EXPECT_TRUE(exit_mm(m, task));
    EXPECT_FALSE(exit_mm(m, task));
    EXPECT_EQ(get_task_mm(task), nullptr);
    EXPECT_EQ(mm.mm_users.read(), 1);
    EXPECT_EQ(mm.mm_count.read(), 1);
  });
}

TEST_F(TaskMm, OfExecIsAnother) {
  story([&](Mm& mm) {
    Mm* const fresh = mm_create(m);
    EXPECT_EQ(exec_mmap(m, task, *fresh), Status::kNoProcess);
    mmget(mm);
    set_task_mm(task, mm);
    kill_users(mm);
    EXPECT_EQ(exec_mmap(m, task, *fresh), Status::kKilled);
    EXPECT_TRUE(exit_mm(m, task));
    set_task_mm(task, *mm_create(m));
    EXPECT_EQ(exec_mmap(m, task, *fresh), Status::kOk);
    EXPECT_EQ(m.mm_cache.live_objects(), 2u);
    EXPECT_TRUE(exit_mm(m, task));
  });
}

TEST_F(TaskMm, ThatIsBorrowedIsNotLent) {
  story([&](Mm& mm) {
    make_kthread(kthread);
    EXPECT_EQ(start_kthread(task), Status::kNoProcess);
    EXPECT_EQ(start_kthread(kthread), Status::kOk);
    EXPECT_EQ(start_kthread(kthread), Status::kBusy);
    EXPECT_EQ(end_kthread(m, kthread), Status::kBusy);
    use_mm(m, kthread, mm);
    EXPECT_EQ(mm.mm_users.read(), 1);
    EXPECT_EQ(mm.mm_count.read(), 2);
    EXPECT_EQ(get_task_mm(kthread), nullptr);
    EXPECT_EQ(proc_mapped_pages(m, kthread).status(), Status::kNoProcess);
    EXPECT_FALSE(exit_mm(m, kthread));
    unuse_mm(kthread);
    EXPECT_EQ(mm.mm_count.read(), 2);
    // The same again needs no other reference; another one drops it.
    use_mm(m, kthread, mm);
    unuse_mm(kthread);
    EXPECT_EQ(mm.mm_count.read(), 2);
    Mm* const other = mm_create(m);
    use_mm(m, kthread, *other);
    unuse_mm(kthread);
    EXPECT_EQ(mm.mm_count.read(), 1);
    mmput(m, *other);
    EXPECT_EQ(m.mm_cache.live_objects(), 2u);
    stop_kthread(kthread);
    EXPECT_EQ(end_kthread(m, kthread), Status::kOk);
    EXPECT_EQ(m.mm_cache.live_objects(), 1u);
    EXPECT_EQ(start_kthread(kthread), Status::kNoProcess);
  });
}

TEST_F(TaskMm, IsWaitedForAfterVfork) {
  story([&](Mm& mm) {
    mmget(mm);
    begin_vfork(task);
    set_task_mm(task, mm);
    EXPECT_EQ(wait_for_vfork(m, task, [] { return true; }), Status::kAgain);
    EXPECT_TRUE(exit_mm(m, task));
    EXPECT_EQ(wait_for_vfork(m, task, [] { return false; }), Status::kOk);
  });
}

TEST_F(TaskMm, ThatEndsWakesWhoWaitsForItAfterVfork) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Mm& mm = anew([&](Mm& fresh) {
      mmget(fresh);
      begin_vfork(task);
      set_task_mm(task, fresh);
    });
    const auto parent = [&] {
      EXPECT_EQ(wait_for_vfork(m, task, [] { return false; }), Status::kOk);
    };
    const auto child = [&] { EXPECT_TRUE(exit_mm(m, task)); };
    const auto finding = run_tasks(run, pos_seed(seed), {parent, child});
    ASSERT_EQ(finding ? finding->title : "", "") << "seed " << seed;
    end(mm);
  }
}

TEST_F(TaskMm, IsNoUsersAnyMoreForWhoHoldsTheObject) {
  story([&](Mm&) {
    Mm* const dead = mm_create(m);
    mmgrab(*dead);
    EXPECT_TRUE(mmget_not_zero(*dead));
    mmput(m, *dead);
    mmput(m, *dead);
    EXPECT_FALSE(mmget_not_zero(*dead));
    mmdrop(m, *dead);
  });
}

TEST_F(TaskMm, SumsUpWhatIsMapped) {
  story([&](Mm& mm) {
    mmget(mm);
    set_task_mm(task, mm);
    EXPECT_EQ(*proc_mapped_pages(m, task), 0u);
    map(mm, 3);
    map(mm, 2, kVmRead);
    EXPECT_EQ(*proc_mapped_pages(m, task), 5u);
    exit_mm(m, task);
  });
}

}  // namespace
}  // namespace racier
