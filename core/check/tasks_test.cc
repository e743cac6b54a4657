// core/check/tasks_test.cc - who uses an mm, and what is wrong with it.
#include <gtest/gtest.h>

#include <array>

#include "core/check/world_for_test.h"
#include "core/mm/aio.h"
#include "core/mm/oom.h"
#include "core/mm/task_mm.h"

namespace racier::check {
namespace {

// The two mms of a world belong to tasks 0 and 1; task 2 is a kernel thread.
struct Tasks : World {
  Tasks() {
    in_task([&] {
      set_task_mm(tasks[0], *parent);
      set_task_mm(tasks[1], *child);
      make_kthread(tasks[2]);
    });
    m.tasks = tasks;
  }
  std::string audit_counted() {
    count_users(m, counted);
    return audit({.users_known = true, .users = counted});
  }
  void work_in(Mm& mm) {
    in_task([&] {
      use_mm(m, tasks[2], mm);
      unuse_mm(tasks[2]);
    });
  }

  std::array<TaskStruct, 3> tasks;
  std::vector<MmUsers> counted;
};

TEST(TasksAudit, IsCleanWithAllKindsOfUsers) {
  Tasks world;
  EXPECT_EQ(world.audit_counted(), "");
  world.work_in(*world.child);
  world.in_task([&] {
    EXPECT_EQ(aio_submit(world.m, *world.child, World::kAnon, false, 0), Status::kOk);
  });
  EXPECT_EQ(world.audit_counted(), "");
  // The thread still has the object when the last user has gone.
  world.in_task([&] { EXPECT_TRUE(exit_mm(world.m, world.tasks[1])); });
  EXPECT_EQ(world.audit_counted(), "");
  world.in_task([&] {
    EXPECT_EQ(end_kthread(world.m, world.tasks[2]), Status::kOk);
    EXPECT_TRUE(exit_mm(world.m, world.tasks[0]));
    world.end_secondary();
    shut_down(world.m);
  });
  EXPECT_EQ(world.audit_leaks(), "");
}

struct Wrong {
  const char* name;
  Inv found;
  void (*make)(Tasks&);
};
std::ostream& operator<<(std::ostream& out, const Wrong& wrong) {
  return out << wrong.name;
}

class WrongTask : public testing::TestWithParam<Wrong> {};

TEST_P(WrongTask, IsFound) {
  Tasks world;
  GetParam().make(world);
  EXPECT_EQ(world.audit_counted(), name_of(GetParam().found));
}

const Wrong kWrongs[] = {
    {"UserTooMany", Inv::kMmUsersAreItsUsers, [](Tasks& w) { mmget(*w.child); }},
    {"UserTooFew", Inv::kMmUsersAreItsUsers,
     [](Tasks& w) { w.tasks[1].active_mm.poke(w.parent); }},
    {"HolderTooMany", Inv::kMmCountIsItsHolders, [](Tasks& w) { mmgrab(*w.child); }},
    {"LazyThreadWithoutReference", Inv::kMmCountIsItsHolders,
     [](Tasks& w) { w.tasks[2].active_mm.poke(w.child); }},
    {"RequestWithoutReference", Inv::kMmCountIsItsHolders,
     [](Tasks& w) {
       w.in_task([&w] {
         EXPECT_EQ(aio_submit(w.m, *w.child, World::kAnon, false, 0), Status::kOk);
         mmdrop(w.m, *w.child);
       });
     }},
    {"TornDownWithUsers", Inv::kExitMmapWhenUnused,
     [](Tasks& w) { w.child->exit_mmaps = 1; }},
    {"RunningRequest", Inv::kAioRunningIsNone,
     [](Tasks& w) { w.child->aio_running = 1; }},
    {"OtherMmActive", Inv::kTaskMmIsLive,
     [](Tasks& w) {
       w.tasks[0].active_mm.poke(w.child);
       w.tasks[1].active_mm.poke(w.parent);
     }},
    {"BorrowedForEver", Inv::kTaskMmIsLive,
     [](Tasks& w) { w.tasks[2].set(TaskFlag::kBorrowedMm); }},
    {"OnCpuForEver", Inv::kTaskMmIsLive,
     [](Tasks& w) { w.tasks[2].set(TaskFlag::kOnCpu); }},
    {"ThreadWithAnMm", Inv::kTaskMmIsLive,
     [](Tasks& w) {
       mmgrab(*w.child);
       w.tasks[2].mm.poke(w.child);
       w.tasks[2].active_mm.poke(w.child);
     }},
    {"ReapedAndThere", Inv::kReapedStaysEmpty,
     [](Tasks& w) { w.child->set(MmFlag::kOomSkip); }},
    {"CtxLock", Inv::kNoLockAtRest,
     [](Tasks& w) NO_THREAD_SAFETY_ANALYSIS { w.m.aio.ctx_lock.lock(); }},
    {"TaskLock", Inv::kNoLockAtRest,
     [](Tasks& w) NO_THREAD_SAFETY_ANALYSIS { w.tasks[1].task_lock.lock(); }},
};
INSTANTIATE_TEST_SUITE_P(Tasks, WrongTask, testing::ValuesIn(kWrongs),
                         [](const auto& info) { return info.param.name; });

TEST(TasksLeft, AreFound) {
  Tasks world;
  world.tear_down();  // behind the tasks' backs
  EXPECT_EQ(world.audit_leaks(), name_of(Inv::kNoTaskMmLeft));
}

TEST(TasksLeft, AndRequests) {
  World world;
  world.in_task([&] { (void)world.m.kiocb_cache.create(*world.child, 0, false, 0); });
  world.tear_down();
  EXPECT_EQ(world.audit_leaks(), name_of(Inv::kNoKiocbLeft));
}

}  // namespace
}  // namespace racier::check
