// Compiled so that its plain accesses are traced (CMakeLists.txt), as the rooms of the
// simulated kernel are in the preset `plain`.
#include "core/runtime/plain_steps.h"

#include <gtest/gtest.h>

#include "core/runtime/run_alone.h"
#include "core/runtime/sanitizers.h"
#include "core/runtime/trace.h"
#include "core/sync/spin_lock.h"

namespace racier {
namespace {

// Words of a region, not atomic.  (volatile: each access is really made.)
struct alignas(16) Shared {
  volatile std::uint64_t count = 0;
  volatile std::uint32_t other = 0;
};

struct World {
  World() : live(&shared, sizeof shared) {
    live.set_alive(&shared, sizeof shared);
    run.live = &live;
  }
  Shared shared;
  LiveMap live;
  RunState run;
};

Schedule counting(Schedule schedule) {
  schedule.plain_steps = true;
  return schedule;
}

// Returns the sum that two tasks, who add 1 each, come to, and the schedule.
std::uint64_t sum_of(World& world, const Schedule& schedule, Schedule* recorded) {
  world.run.reset();
  world.shared.count = 0;
  FiberRuntime runtime(schedule);
  const auto add = [&] { world.shared.count = world.shared.count + 1; };
  run_on(runtime, world.run, {add, add});
  EXPECT_FALSE(world.run.over());
  *recorded = runtime.recorded();
  return world.shared.count;
}

// Two plain accesses that race: TSan would report them, and be right.
bool races_are_reported() { return sanitizers::tsan(); }

TEST(PlainSteps, ALostUpdateIsFoundAndReplays) {
  if (races_are_reported()) GTEST_SKIP() << "a data race is a finding of its own";
  World world;
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Schedule recorded;
    const std::uint64_t sum =
        sum_of(world, counting(random_walk_seed(seed)), &recorded);
    EXPECT_TRUE(sum == 1 || sum == 2) << sum;
    EXPECT_TRUE(recorded.plain_steps);
    Schedule again;
    EXPECT_EQ(sum_of(world, recorded, &again), sum) << "seed " << seed;
    EXPECT_EQ(again, recorded);
    lost += sum == 1;
  }
  EXPECT_GT(lost, 5);
  EXPECT_LT(lost, 45);
}

TEST(PlainSteps, ALockOrdersThem) {
  static const LockClass lock_class{"count_lock", 0};
  World world;
  SpinLock lock(lock_class);
  const auto add = [&] {
    lock.lock();
    world.shared.count = world.shared.count + 1;
    lock.unlock();
  };
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    world.shared.count = 0;
    EXPECT_EQ(run_tasks(world.run, counting(random_walk_seed(seed)), {add, add}),
              std::nullopt);
    EXPECT_EQ(world.shared.count, 2u);
  }
}

// What step it was, of one task that runs alone.
std::vector<std::string> steps_of(World& world, Body body) {
  Trace trace;
  FiberRuntime runtime(counting({}));
  runtime.set_observer(&trace);
  run_on(runtime, world.run, {body});
  std::vector<std::string> steps;
  for (const TraceEntry& entry : trace.entries().subspan(1)) {
    const auto offset = world.live.offset_of(entry.step.address);
    steps.push_back((entry.step.access == Access::kRead ? "read " : "write ") +
                    std::to_string(entry.step.size) + " at " + std::to_string(offset));
  }
  return steps;
}

TEST(PlainSteps, AreTheAccessesToTheRegion) {
  World world;
  std::uint64_t mine = 0;
  EXPECT_EQ(steps_of(world,
                     [&] {
                       world.shared.other = 1;
                       mine = world.shared.count;
                     }),
            (std::vector<std::string>{"write 4 at 8", "read 8 at 0"}));
}

TEST(PlainSteps, AreNotTakenWhereStepsAreOff) {
  World world;
  EXPECT_EQ(steps_of(world,
                     [&] {
                       const StepsOff off;
                       world.shared.count = 1;
                     }),
            std::vector<std::string>());
}

// The load inside of an Atomic's load() was announced by its step.
TEST(PlainSteps, AnAtomicAccessIsOneStep) {
  alignas(16) Atomic<std::uint64_t> words[2];
  LiveMap live(words, sizeof words);
  live.set_alive(words, sizeof words);
  RunState run;
  run.live = &live;
  FiberRuntime runtime(counting({}));
  run_on(runtime, run, {[&] {
           words[0].load();
           words[1].store(1);
         }});
  EXPECT_EQ(runtime.steps(), 3u);
  EXPECT_FALSE(runtime.recorded().plain_steps);
}

TEST(PlainSteps, AreTakenOnlyIfTheScheduleCountsThem) {
  World world;
  FiberRuntime runtime;
  run_on(runtime, world.run, {[&] { world.shared.count = 1; }});
  EXPECT_EQ(runtime.steps(), 1u);
  EXPECT_FALSE(runtime.recorded().plain_steps);
}

// A step that cannot throw lets a task of a run that is over go on to one that can.
TEST(PlainSteps, ATaskOfARunThatIsOverLeavesAtTheNextOther) {
  World world;
  Atomic<int> word;
  int before = 0;
  int behind = 0;
  const auto accuse = [&] {
    Finding finding;
    finding.title = "over";
    world.run.record(finding);
  };
  const auto work = [&] {
    world.shared.other = 1;
    ++before;
    word.load();
    ++behind;
  };
  // Task 0 stops in front of its store, task 1 ends the run.
  Schedule schedule = counting({});
  schedule.strategy = StrategyKind::kReplay;
  schedule.switches = {{.task = 0, .step = 1, .next = 1}};
  const auto finding = run_tasks(world.run, schedule, {work, accuse});
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->title, "over");
  EXPECT_EQ(before, 1);
  EXPECT_EQ(behind, 0);
}

TEST(PlainSteps, ALoopOfThemMakesNoProgress) {
  World world;
  FiberRuntime runtime(counting({}), 1000);
  run_on(runtime, world.run, {[&] {
           while (!world.run.over()) world.shared.other = 1;
         }});
  ASSERT_TRUE(world.run.finding().has_value());
  EXPECT_EQ(world.run.finding()->signature(),
            "no-progress | BUG: soft lockup: no progress");
}

}  // namespace
}  // namespace racier
