// core/mm/oom_test.cc
#include "core/mm/oom.h"

#include <array>

#include "core/mm/mm_for_test.h"
#include "core/mm/task_mm.h"

namespace racier {
namespace {

struct Oom : MmForTest {
  Oom() : MmForTest({.frames = 48, .slab_pages = 32, .swap_slots = 0}) {}

  // Starts task `number` with `pages` pages, all written to; returns where they are.
  VirtAddr start(int number, std::uint64_t pages) {
    Mm& mm = *mm_create(m);
    set_task_mm(tasks[number], mm);
    const VirtAddr at = map(mm, 32);
    for (std::uint64_t page = 0; page < pages; ++page) write(mm, page_at(at, page), 1);
    return at;
  }
  Mm& mm_of(int number) { return *tasks[number].mm.peek(); }
  void oom_story(Body body) {
    m.tasks = tasks;
    EXPECT_EQ(tell([&] {
                body();
                for (TaskStruct& task : tasks) exit_mm(m, task);
              }),
              "");
    expect_nothing_left();
  }

  std::array<TaskStruct, 3> tasks;
};

TEST_F(Oom, TheLargestIsKilledAndReaped) {
  oom_story([&] {
    start(0, 2);
    const VirtAddr at = start(1, 5);
    start(2, 5);
    const std::uint32_t free = m.frames.free_count();
    EXPECT_TRUE(out_of_memory(m));
    EXPECT_TRUE(mm_of(1).is(MmFlag::kKilled));
    EXPECT_FALSE(mm_of(2).is(MmFlag::kKilled));
    EXPECT_EQ(m.frames.free_count(), free + 5);
    EXPECT_EQ(read(mm_of(1), at).status, Status::kKilled);
    EXPECT_EQ(try_write(mm_of(1), page_at(at, 9), 1), Status::kKilled);
    EXPECT_TRUE(out_of_memory(m));
    EXPECT_TRUE(mm_of(2).is(MmFlag::kKilled));
    EXPECT_TRUE(out_of_memory(m));
    EXPECT_FALSE(out_of_memory(m));
  });
}

TEST_F(Oom, AFaultKillsWhereMemoryHasRunOut) {
  oom_story([&] {
    start(0, 20);
    const VirtAddr at = start(1, 0);
    for (std::uint64_t page = 0; page < 20; ++page) {
      write(mm_of(1), page_at(at, page), page + 1);
    }
    EXPECT_TRUE(mm_of(0).is(MmFlag::kKilled));
    for (std::uint64_t page = 0; page < 20; ++page) {
      EXPECT_EQ(read(mm_of(1), page_at(at, page)).value, page + 1);
    }
  });
}

TEST_F(Oom, AFaultMayKillItself) {
  oom_story([&] {
    const VirtAddr at = start(0, 20);
    Status status = Status::kOk;
    for (std::uint64_t page = 20; page < 32 && status == Status::kOk; ++page) {
      status = try_write(mm_of(0), page_at(at, page), 1);
    }
    const VirtAddr more = map(mm_of(0), 32);
    for (std::uint64_t page = 0; page < 32 && status == Status::kOk; ++page) {
      status = try_write(mm_of(0), page_at(more, page), 1);
    }
    EXPECT_EQ(status, Status::kKilled);
  });
}

TEST_F(Oom, AFailureThatWasAskedForKillsNobody) {
  oom_story([&] {
    const VirtAddr at = start(0, 0);
    for (std::uint32_t nth = 1; nth <= 3; ++nth) {
      current()->fail_nth = nth;
      EXPECT_EQ(try_write(mm_of(0), at, 1), Status::kNoMemory);
    }
    EXPECT_FALSE(mm_of(0).is(MmFlag::kKilled));
  });
}

TEST_F(Oom, WhoIsNotInTheTableIsNotKilled) {
  EXPECT_EQ(tell([&] {
              Mm& mm = *mm_create(m);
              const VirtAddr at = map(mm, 64);
              Status status = Status::kOk;
              for (std::uint64_t page = 0; page < 64 && status == Status::kOk; ++page) {
                status = try_write(mm, page_at(at, page), 1);
              }
              EXPECT_EQ(status, Status::kNoMemory);
              mmput(m, mm);
            }),
            "");
}

TEST_F(Oom, OnlyWhoWasKilledIsReleased) {
  oom_story([&] {
    EXPECT_EQ(process_mrelease(m, tasks[0]), Status::kNoProcess);
    const VirtAddr at = start(0, 3);
    Mm& mm = mm_of(0);
    EXPECT_EQ(process_mrelease(m, tasks[0]), Status::kInvalid);
    kill_users(mm);
    EXPECT_EQ(process_mrelease(m, tasks[0]), Status::kOk);
    EXPECT_EQ(rss(mm), "0 0");
    EXPECT_EQ(mm.map_count, 1);
    EXPECT_EQ(read(mm, at).status, Status::kKilled);
    EXPECT_EQ(dup_mm(m, mm).status(), Status::kKilled);
    EXPECT_EQ(process_mrelease(m, tasks[0]), Status::kOk);
  });
}

TEST_F(Oom, WhatIsSharedStays) {
  oom_story([&] {
    start(0, 1);
    const VirtAddr at = map(mm_of(0), 1, kRw | kVmShared);
    write(mm_of(0), at, 5);
    EXPECT_TRUE(out_of_memory(m));
    EXPECT_EQ(rss(mm_of(0)), "1 0");
    EXPECT_EQ(read(mm_of(0), at).value, 5u);
  });
}

}  // namespace
}  // namespace racier
