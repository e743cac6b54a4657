// core/program/schemes_test.cc - the programs of corpus/ on every reverse map.
//
// A program tells what users see, which no scheme may change: on each it is clean under
// any schedule, and where nothing depends on the schedule, it has the outcomes that its
// file says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/program/inject.h"
#include "core/program/machine_keys.h"
#include "core/program/ops.h"
#include "core/program/parse.h"
#include "core/program/runner.h"
#include "core/rmap/scheme.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/run_alone.h"
#include "core/runtime/sanitizers.h"

namespace racier::program {
namespace {

namespace fs = std::filesystem;

struct CorpusProgram {
  std::string path;  // in corpus/
  Program program;   // with no bug armed
};

// Returns the programs of a folder, by name.
std::vector<CorpusProgram> programs_of(const char* folder) {
  std::vector<CorpusProgram> programs;
  const fs::path corpus = fs::path(RACIER_SOURCE_DIR) / "corpus";
  for (const auto& entry : fs::directory_iterator(corpus / folder)) {
    if (entry.path().extension() != ".racier") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    Parsed parsed = parse(std::string{std::istreambuf_iterator<char>(in), {}});
    EXPECT_TRUE(parsed.program) << entry.path();
    if (!parsed.program) continue;
    parsed.program->bugs = {};
    programs.push_back(
        {fs::relative(entry.path(), corpus).string(), std::move(*parsed.program)});
  }
  std::sort(programs.begin(), programs.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  EXPECT_FALSE(programs.empty()) << folder;
  return programs;
}

// Returns whether the outcomes follow from the text alone: one task; and no allocation
// that fails, nor a notifier that sleeps, for how many there are of the one and who may
// do the other is the scheme's affair.
bool depends_on_nothing(const Program& program) {
  if (program.tasks.size() > 1) return false;
  for (int list = 0; list < program.lists(); ++list) {
    for (const Call& call : program.list(list)) {
      const bool registers =
          op_of(call).name == std::string_view("mmu_notifier_register");
      if (call.fail_nth != 0 || (registers && call.arguments[1] != 0)) return false;
    }
  }
  return true;
}

// Gives each option that is one of two names one of them, by the bits of `number`, and
// the way to find a vma by all of it; says which.
std::string turn_knobs(MachineOptions& machine, std::uint64_t number) {
  std::string text;
  const MachineKey& finds = machine_key("lookup");
  const std::uint64_t lookup = number % (finds.last() + 1);
  finds.set(machine, lookup);
  for (const MachineKey& key : machine_keys()) {
    if (key.name_of == nullptr || key.last() != 1) continue;
    const std::string_view name = key.name;
    if (name == "alloc" || name == "mmu") continue;  // no locking of a period
    key.set(machine, number & 1);
    text += std::string(" ") + key.name + "=" + key.print(number & 1);
    number >>= 1;
  }
  return text + " lookup=" + finds.print(lookup);
}

class Schemes : public ::testing::TestWithParam<const char*> {
 protected:
  const RunResult& run(const Program& program, const Schedule& schedule) {
    runtime_.set_schedule(schedule);
    return runner_.run(program, runtime_, {});
  }

  // Expects no finding under `seeds` schedules of two strategies, each with other
  // knobs: a scheme claims them all.  (With a sanitizer, which makes a run up to eight
  // times as long, every eighth or 16th, of each program other ones.)
  void expect_clean(Program program, std::uint64_t seeds) {
    const std::uint64_t each = sanitizers::tsan() ? 16 : sanitizers::asan() ? 8 : 1;
    for (std::uint64_t seed = first_++ % each; seed < seeds; seed += each) {
      const std::string knobs = turn_knobs(program.machine, seed);
      for (const Schedule& schedule : {pos_seed(seed), random_walk_seed(seed)}) {
        const RunResult& result = run(program, schedule);
        ASSERT_FALSE(result.finding)
            << strategy_name(schedule.strategy) << " seed " << seed << knobs << ", "
            << phase_name(result.phase) << ": " << result.finding->signature() << "\n"
            << result.finding->detail;
      }
    }
  }

 private:
  FiberRuntime alone_;
  Runner runner_{alone_};
  FiberRuntime runtime_;
  std::uint64_t first_ = 0;  // the number of the next program
};

TEST_P(Schemes, AllProgramsAreClean) {
  for (const char* const folder : {"programs", "found", "bugs"}) {
    for (CorpusProgram& file : programs_of(folder)) {
      SCOPED_TRACE(file.path);
      file.program.machine.rmap = GetParam();
      expect_clean(std::move(file.program), 48);
    }
  }
}

// Allocations fail here and there, as the schedule chooses.
TEST_P(Schemes, AllProgramsAreCleanWhateverAllocationsFail) {
  for (const char* const folder : {"programs", "found", "bugs"}) {
    for (CorpusProgram& file : programs_of(folder)) {
      SCOPED_TRACE(file.path);
      file.program.machine.rmap = GetParam();
      file.program.machine.chosen_failures = true;
      expect_clean(std::move(file.program), 16);
    }
  }
}

// Whichever allocation fails, by itself or with all that come behind it.
TEST_P(Schemes, AllProgramsAreCleanWhicheverAllocationFails) {
  FiberRuntime alone;
  Runner runner(alone);
  std::uint64_t tried = 0;
  for (const char* const folder : {"programs", "found", "bugs"}) {
    for (CorpusProgram& file : programs_of(folder)) {
      file.program.machine.rmap = GetParam();
      FiberRuntime runtime(file.program.schedule);
      const auto look = [&](const FailAlloc& fail, const RunResult& result) {
        if (!result.finding) return true;
        ADD_FAILURE() << file.path << ": allocation " << fail.nth
                      << (fail.onwards ? " and all behind it, " : ", ")
                      << phase_name(result.phase) << ": " << result.finding->signature()
                      << "\n"
                      << result.finding->detail;
        return false;
      };
      tried += inject(file.program, runner, runtime, {}, look);
    }
  }
  std::printf("%llu allocations, each once and with all behind it\n",
              static_cast<unsigned long long>(tried));
  RecordProperty("allocations", std::to_string(tried));
  EXPECT_GE(tried, 2000u);
}

TEST_P(Schemes, WhatUsersSeeIsTheSame) {
  int compared = 0;
  for (CorpusProgram& file : programs_of("programs")) {
    if (!depends_on_nothing(file.program)) continue;
    file.program.machine.rmap = GetParam();
    const RunResult& result = run(file.program, file.program.schedule);
    for (const std::string& problem : judge(file.program, result).problems) {
      ADD_FAILURE() << file.path << ": " << problem;
    }
    ++compared;
  }
  EXPECT_GE(compared, 10);
}

std::vector<const char*> names() {
  std::vector<const char*> names;
  for (const rmap::SchemeRow& row : rmap::schemes()) names.push_back(row.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, Schemes, ::testing::ValuesIn(names()),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace racier::program
