// core/program/as_posted_test.cc
#include "core/program/as_posted.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "core/program/parse.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/run_alone.h"

namespace racier::program {
namespace {

namespace fs = std::filesystem;

// Returns the programs of corpus/programs and corpus/bugs that are clean with nothing
// armed.
std::vector<Program> clean_programs() {
  std::set<std::string> texts;  // in an order that is the same everywhere
  for (const char* const folder : {"programs", "bugs"}) {
    const fs::path path = fs::path(RACIER_SOURCE_DIR) / "corpus" / folder;
    for (const auto& entry : fs::directory_iterator(path)) {
      std::ifstream in(entry.path(), std::ios::binary);
      texts.insert(std::string(std::istreambuf_iterator<char>(in), {}));
    }
  }
  std::vector<Program> programs;
  for (const std::string& text : texts) {
    Parsed parsed = parse(text);
    if (!parsed.program) continue;
    Program& program = *parsed.program;
    const bool clean = program.expectation.kind == Expectation::Kind::kClean;
    if (!clean && program.bugs.empty()) continue;
    program.bugs = {};
    programs.push_back(std::move(program));
  }
  return programs;
}

TEST(AsPosted, EachHasANameAndALack) {
  std::set<std::string> names;
  for (const AsPosted& patch : patches_as_posted()) {
    EXPECT_TRUE(names.insert(patch.name).second);
    EXPECT_EQ(find_as_posted(patch.name), &patch);
    EXPECT_FALSE(patch.lacks.empty());
    EXPECT_NE(names_as_posted().find(patch.name), std::string::npos);
  }
  EXPECT_EQ(find_as_posted("torvalds"), nullptr);
}

TEST(AsPosted, AMachineIsOneOfItsTime) {
  MachineOptions machine;
  machine.period.rcu = RcuFlavour::kPreempt;
  machine.period.gather = GatherContext::kPreemptible;
  find_as_posted("lameter")->set_machine(machine);
  EXPECT_EQ(machine.rmap, "anon_vma_rwsem");
  EXPECT_EQ(machine.period.rcu, RcuFlavour::kClassic);
  EXPECT_EQ(machine.period.gather, GatherContext::kAtomic);
}

// What was wrong in 2008 was right when mmu_gather could be preempted.
TEST(AsPosted, ALaterMachineMayForgiveWhatAPatchLacks) {
  const Parsed parsed = parse(R"(
machine rmap=anon_vma_rwsem
bug unlink_sleeps_in_mmu_gather
task A
  p0 = process
  m0 = mmap p0 1 rw private
  write p0 m0 0 0
  munmap p0 m0 0 1
)");
  ASSERT_TRUE(parsed.program);
  Program program = *parsed.program;
  FiberRuntime alone;
  Runner runner(alone);
  FiberRuntime tasks;
  EXPECT_TRUE(runner.run(program, tasks, {}).finding);
  program.machine.period.gather = GatherContext::kPreemptible;
  EXPECT_FALSE(runner.run(program, tasks, {}).finding);
}

// In 2000 a fault held mmap_sem alone, so two threads never were in get_anon at once.
TEST(AsPosted, ALaterMachineMayShowWhatItsTimeForgave) {
  const Parsed parsed = parse(R"(
bug get_anon_double_alloc
setup
  p0 = process
  p1 = clone p0
  m0 = mmap p0 2 rw private
task A
  write p0 m0 0 0
task B
  write p1 m0 1 0
)");
  ASSERT_TRUE(parsed.program);
  Program program = *parsed.program;
  find_as_posted("davem")->set_machine(program.machine);
  EXPECT_TRUE(program.machine.period.exclusive_faults);
  FiberRuntime alone;
  Runner runner(alone);
  FiberRuntime tasks;
  const auto findings = [&] {
    int found = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      tasks.set_schedule(random_walk_seed(seed));
      if (runner.run(program, tasks, {}).finding) ++found;
    }
    return found;
  };
  EXPECT_EQ(findings(), 0);
  program.machine.period.exclusive_faults = false;
  EXPECT_GT(findings(), 0);
}

// The corpus, with its own schedules and random ones, finds something that each lacks;
// with nothing armed the same runs are clean.
TEST(AsPosted, EachIsFoundByTheCorpus) {
  const std::vector<Program> programs = clean_programs();
  FiberRuntime alone;
  Runner runner(alone);
  FiberRuntime tasks;
  for (const AsPosted& patch : patches_as_posted()) {
    std::set<std::string> armed;
    for (Program program : programs) {
      patch.set_machine(program.machine);
      for (std::uint64_t seed = 0; seed < 11; ++seed) {
        const Schedule schedule =
            seed == 10 ? program.schedule : random_walk_seed(seed);
        tasks.set_schedule(schedule);
        RunOptions options;
        ASSERT_FALSE(runner.run(program, tasks, options).finding) << patch.name;
        options.bugs = patch.bugs();
        tasks.set_schedule(schedule);
        const auto& finding = runner.run(program, tasks, options).finding;
        if (finding) armed.insert(finding_kind_name(finding->kind));
      }
    }
    if (!patch.split_ptl) EXPECT_FALSE(armed.empty()) << patch.name;
  }
}

// Who joins the mmlist of "lighten mmlist_lock" is safe as long as one lock guards all
// ptes of a mm.
TEST(AsPosted, ThePatchOfTheMmlistNeedsOnePageTableLock) {
  const Parsed parsed = parse(R"(
setup
  p0 = process
  m0 = mmap p0 1 rw private
  m1 = mmap p0 600 r private
  m2 = mmap p0 1 rw private
  write p0 m0 0 0
  write p0 m2 0 0
  page_referenced p0 m0 0
  page_referenced p0 m2 0
task A
  unmap_page p0 m0 0
task B
  unmap_page p0 m2 0
)");
  ASSERT_TRUE(parsed.program);
  FiberRuntime alone;
  Runner runner(alone);
  FiberRuntime tasks;
  const auto findings = [&](const char* name) {
    Program program = *parsed.program;
    const AsPosted& patch = *find_as_posted(name);
    patch.set_machine(program.machine);
    program.bugs = patch.bugs();
    int found = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
      tasks.set_schedule(random_walk_seed(seed));
      if (runner.run(program, tasks, {}).finding) ++found;
    }
    return found;
  };
  EXPECT_EQ(findings("dickins-mmlist"), 0);
  EXPECT_GT(findings("dickins-mmlist-split"), 0);
}

// One thread faults while another one unmaps: as it was mailed, and mended.
TEST(AsPosted, TheVmaCacheLeadsToWhatIsFree) {
  const Parsed parsed = parse(R"(
setup
  p0 = process
  m0 = mmap p0 3 rw private
  write p0 m0 0 0
  p1 = clone p0
task A
  write p0 m0 1 0
  write p0 m0 2 0
task B
  munmap p1 m0 0 2
)");
  ASSERT_TRUE(parsed.program);
  Program program = *parsed.program;
  const AsPosted& patch = *find_as_posted("kamezawa");
  patch.set_machine(program.machine);
  EXPECT_EQ(program.machine.period.lookup, VmaLookup::kKamezawa);
  FiberRuntime alone;
  Runner runner(alone);
  FiberRuntime tasks;
  const auto findings = [&](const BugSet& bugs) {
    program.bugs = bugs;
    int found = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      tasks.set_schedule(pos_seed(seed));
      if (runner.run(program, tasks, {}).finding) ++found;
    }
    return found;
  };
  EXPECT_GT(findings(patch.bugs()), 0);
  EXPECT_EQ(findings({}), 0);
}

}  // namespace
}  // namespace racier::program
