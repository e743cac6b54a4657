// core/program/corpus_test.cc - runs what is in corpus/.
//
// With RACIER_REWRITE=1 in the environment the files are rewritten: printed
// canonically, their outcomes as they were, and where an expectation is missed, with a
// schedule that meets it if one switch is enough; and traces.golden.  The diff is for
// review.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <map>
#include <optional>
#include <span>
#include <sstream>

#include "core/program/begins_as_race_for_test.h"
#include "core/program/ops.h"
#include "core/program/parse.h"
#include "core/program/print.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/run_alone.h"
#include "core/runtime/sanitizers.h"
#include "core/runtime/trace.h"

namespace racier::program {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = fs::path(RACIER_SOURCE_DIR) / "corpus";
constexpr const char* kFolders[] = {"programs", "bugs", "found"};

struct CorpusFile {
  fs::path path;
  std::string text;
  Program program;
  std::string name() const { return path.stem().string(); }
};

// Returns the programs of a folder by name.
std::vector<CorpusFile> files_of(const char* folder) {
  std::vector<CorpusFile> files;
  for (const auto& entry : fs::directory_iterator(kCorpus / folder)) {
    if (entry.path().extension() != ".racier") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    Parsed parsed = parse(text);
    EXPECT_TRUE(parsed.program) << parsed.error.str(entry.path().string());
    if (parsed.program)
      files.push_back({entry.path(), text, std::move(*parsed.program)});
  }
  std::sort(files.begin(), files.end(),
            [](const CorpusFile& a, const CorpusFile& b) { return a.path < b.path; });
  EXPECT_FALSE(files.empty()) << kCorpus / folder;
  return files;
}

// Returns whether the run of `program` ended as a race that its bug begins with.
bool ended_as_race(const Program& program, const RunResult& result) {
  return result.finding && program::ended_as_race(program.bugs, result.finding->kind);
}

// Runs programs on fibers, under their own schedules or another one.
class Corpus : public ::testing::Test {
 protected:
  const RunResult& run(const Program& program, const Schedule& schedule,
                       const RunOptions& options = {}) {
    runtime_.set_schedule(schedule);
    return runner_.run(program, runtime_, options);
  }
  const RunResult& run(const Program& program, const RunOptions& options = {}) {
    return run(program, program.schedule, options);
  }

  // Returns what is wrong with the run of `program` under its own schedule, line by
  // line.
  std::string problems_of(const Program& program) {
    const RunResult& result = run(program);
    std::string lines;
    if (ended_as_race(program, result)) return lines;
    for (const std::string& problem : judge(program, result).problems) {
      lines += problem + "\n";
    }
    if (!lines.empty() && result.finding) lines += result.finding->detail + "\n";
    return lines;
  }

  // Expects no finding under `count` schedules of each seeded strategy, with weak
  // memory and without.
  void expect_clean_whatever_happens(Program program, int count,
                                     const RunOptions& options = {}) {
    for (int i = 0; i < 2 * count; ++i) {
      const auto seed = static_cast<std::uint64_t>(i / 2);
      program.machine.weak_memory = i % 2 == 1;
      for (const Schedule& schedule : {pos_seed(seed), random_walk_seed(seed)}) {
        const RunResult& result = run(program, schedule, options);
        ASSERT_FALSE(result.finding)
            << strategy_name(schedule.strategy) << " seed " << seed << ", "
            << (program.machine.weak_memory ? "weak memory, " : "")
            << phase_name(result.phase) << ": " << result.finding->signature() << "\n"
            << result.finding->detail;
      }
    }
  }

  // Gives `program` a schedule of one switch with which it meets its expectation.
  bool reschedule(Program& program) {
    constexpr std::uint32_t kStepsMax = 500;
    const Schedule before = program.schedule;
    const auto tasks = static_cast<std::uint8_t>(program.tasks.size());
    for (std::uint8_t task = 0; task < tasks; ++task) {
      for (std::uint8_t next = 0; next < tasks; ++next) {
        for (std::uint32_t step = 0; task != next && step < kStepsMax; ++step) {
          program.schedule = {.strategy = StrategyKind::kReplay,
                              .overrides = {},
                              .switches = {{task, step, next}},
                              .choices = {}};
          if (judge(program, run(program)).met()) return true;
        }
      }
    }
    program.schedule = before;
    return false;
  }

  void rewrite(const CorpusFile& file) {
    Program program = file.program;
    const Verdict verdict = judge(program, run(program));
    if (!verdict.met() && !reschedule(program)) rewrite_outcomes(program, run(program));
    std::ofstream(file.path, std::ios::binary) << print(program);
  }

 private:
  FiberRuntime alone_;
  Runner runner_{alone_};
  FiberRuntime runtime_;
};

// Runs programs under their own schedules, and looks at their steps.
class Traced {
 public:
  Traced() { runtime_.set_observer(&trace_); }

  const Trace& run(const Program& program) {
    runtime_.set_schedule(program.schedule);
    raced_ = ended_as_race(program, runner_.run(program, runtime_, {}));
    return trace_;
  }
  // Returns whether the last run did.
  bool raced() const { return raced_; }

 private:
  FiberRuntime alone_;
  Runner runner_{alone_};
  FiberRuntime runtime_;
  Trace trace_;
  bool raced_ = false;
};

// Returns a line for each program: its steps, and their outline; without those, if a
// data race ended it before its time.
std::string golden_traces() {
  std::string text =
      "# The steps of each program under its schedule: how many, and their outline\n"
      "# (Trace::outline()), the same in every build.  RACIER_REWRITE=1 rewrites it.\n";
  Traced traced;
  for (const char* const folder : kFolders) {
    for (const CorpusFile& file : files_of(folder)) {
      const Trace& trace = traced.run(file.program);
      std::ostringstream line;
      line << std::left << std::setw(60) << (folder + ("/" + file.name()))
           << std::right;
      if (traced.raced()) {
        text += line.str() + "\n";
        continue;
      }
      line << std::setw(6) << trace.entries().size() << " " << std::hex
           << std::setfill('0') << std::setw(16) << trace.outline() << "\n";
      text += line.str();
    }
  }
  return text;
}

const fs::path kGoldenTraces = kCorpus / "traces.golden";

TEST_F(Corpus, Rewritten) {
  if (std::getenv("RACIER_REWRITE") == nullptr)
    GTEST_SKIP() << "RACIER_REWRITE is not set";
  for (const char* const folder : kFolders) {
    for (const CorpusFile& file : files_of(folder)) rewrite(file);
  }
  std::ofstream(kGoldenTraces, std::ios::binary) << golden_traces();
}

// Release, asan and tsan make the same steps: each build compares its own with the
// file.
TEST_F(Corpus, EveryBuildMakesTheSameSteps) {
  std::ifstream in(kGoldenTraces, std::ios::binary);
  std::istringstream golden(std::string{std::istreambuf_iterator<char>(in), {}});
  std::istringstream ours(golden_traces());
  for (std::string expected, line; std::getline(ours, line);) {
    std::getline(golden, expected);
    const bool raced = line.back() == ' ';
    EXPECT_EQ(line, raced ? expected.substr(0, line.size()) : expected)
        << "if that is meant: RACIER_REWRITE=1";
  }
  EXPECT_EQ(golden.peek(), std::istringstream::traits_type::eof());
}

TEST_F(Corpus, TextsAreCanonical) {
  for (const char* const folder : kFolders) {
    for (const CorpusFile& file : files_of(folder)) {
      EXPECT_EQ(file.text, print(file.program))
          << file.path << ": RACIER_REWRITE=1 rewrites";
      EXPECT_FALSE(file.program.header.empty()) << file.path << " says what it shows";
      EXPECT_TRUE(validate(file.program).empty()) << file.path;
    }
  }
}

TEST_F(Corpus, ProgramsMeetTheirExpectations) {
  for (const char* const folder : {"programs", "found"}) {
    for (const CorpusFile& file : files_of(folder)) {
      EXPECT_EQ(problems_of(file.program), "") << file.path;
    }
  }
}

// What was found once, with no bug armed, and mended.
TEST_F(Corpus, FoundProgramsStayClean) {
  for (const CorpusFile& file : files_of("found")) {
    SCOPED_TRACE(file.path);
    expect_clean_whatever_happens(file.program, 200);
  }
}

TEST_F(Corpus, CleanProgramsAreCleanWhateverHappens) {
  // ThreadSanitizer makes a run eight times as long.
  const int count = sanitizers::tsan() ? 10 : 50;
  for (const CorpusFile& file : files_of("programs")) {
    if (file.program.expectation.kind != Expectation::Kind::kClean) continue;
    SCOPED_TRACE(file.path);
    expect_clean_whatever_happens(file.program, count);
  }
}

TEST_F(Corpus, EveryOpThatIsDrawnHasAProgram) {
  std::vector<bool> seen(op_table().size());
  for (const CorpusFile& file : files_of("programs")) {
    for (int list = 0; list < file.program.lists(); ++list) {
      for (const Call& call : file.program.list(list)) seen[call.op] = true;
    }
  }
  for (std::size_t i = 0; i < seen.size(); ++i)
    EXPECT_TRUE(seen[i]) << op_table()[i].name;
}

TEST_F(Corpus, TheReadmeNamesEveryBug) {
  std::ifstream in(fs::path(RACIER_SOURCE_DIR) / "README.md");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const bug::Row& row : bug::rows()) {
    const std::string start = std::string("| ") + row.id + " `" + row.name + "` | ";
    EXPECT_NE(text.find(start), std::string::npos) << row.name;
  }
}

// Of the row's name; others, for another machine, say after it what is special.
TEST_F(Corpus, EveryBugHasAProgramThatShowsIt) {
  const auto files = files_of("bugs");
  std::size_t shown = 0;
  for (const bug::Row& row : bug::rows()) {
    BugSet armed;
    armed.arm(row.bug);
    bool named = false;
    for (const CorpusFile& file : files) {
      if (!(file.program.bugs == armed)) continue;
      SCOPED_TRACE(file.path);
      ++shown;
      named = named || file.name() == row.name;
      EXPECT_TRUE(file.name() == row.name ||
                  file.name().starts_with(std::string(row.name) + "_"));
      EXPECT_EQ(file.program.expectation.finding, row.shows);
      EXPECT_EQ(problems_of(file.program), "");
      Program correct = file.program;
      correct.bugs = {};
      const RunResult& result = run(correct);
      EXPECT_FALSE(result.finding)
          << "with the bug off: " << result.finding->signature();
      expect_clean_whatever_happens(correct, 50);
    }
    EXPECT_TRUE(named) << "corpus/bugs/" << row.name << ".racier";
  }
  EXPECT_EQ(shown, files.size()) << "each arms one bug";
}

// Returns whether one of the two is how the other begins.
bool begin_alike(std::span<const TraceEntry> a, std::span<const TraceEntry> b) {
  const std::size_t both = std::min(a.size(), b.size());
  return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(both), b.begin(),
                    [](const TraceEntry& one, const TraceEntry& other) {
                      return one.task == other.task && one.number == other.number &&
                             one.step.access == other.step.access &&
                             one.step.where.line() == other.step.where.line();
                    });
}

// The same program and schedule: the same steps, a thousand times out of a thousand (a
// hundred, where each takes longer).  A run that ended as a race was cut short where
// ThreadSanitizer happened to remember both accesses: until there they are the same.
TEST_F(Corpus, ARunIsTheSameAThousandTimes) {
  const int times = sanitizers::tsan() || sanitizers::asan() ? 100 : 1000;
  const auto files = files_of("bugs");
  Traced traced;
  for (const CorpusFile& file : files) {
    std::optional<std::uint64_t> whole;  // the hash of a run that was not cut short
    std::vector<TraceEntry> first;
    int runs = times;
    for (int i = 0; i < runs; ++i) {
      const Trace& trace = traced.run(file.program);
      SCOPED_TRACE(file.path.string() + ", run " + std::to_string(i));
      if (i == 0) first.assign(trace.entries().begin(), trace.entries().end());
      ASSERT_TRUE(begin_alike(trace.entries(), first));
      if (traced.raced()) {
        runs = times / 50;  // a report takes long
        continue;
      }
      if (!whole) whole = trace.hash();
      ASSERT_EQ(trace.hash(), *whole);
    }
  }
}

// Likewise, with runs of something else in between.
TEST_F(Corpus, RunsAreDeterministic) {
  FiberRuntime alone;
  Runner runner(alone);
  FiberRuntime runtime;
  Trace trace;
  runtime.set_observer(&trace);
  const auto files = files_of("programs");
  constexpr int kRuns = 1000;
  std::map<std::string, std::uint64_t> hashes;
  for (int i = 0; i < kRuns; ++i) {
    const CorpusFile& file = files[static_cast<std::size_t>(i * 7) % files.size()];
    Program program = file.program;
    program.machine.weak_memory = i % 3 == 2;
    runtime.set_schedule(random_walk_seed(static_cast<std::uint64_t>(i) % 3));
    runner.run(program, runtime, {});
    const std::uint64_t hash = trace.hash();
    const std::string key = file.name() + "/" + std::to_string(i % 3);
    const auto [known, fresh] = hashes.emplace(key, hash);
    ASSERT_EQ(known->second, hash) << key << ", run " << i;
  }
}

// What replaying a run's own record gives is that run.
TEST_F(Corpus, RecordsReplay) {
  FiberRuntime alone;
  Runner runner(alone);
  FiberRuntime runtime;
  for (CorpusFile& file : files_of("programs")) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      file.program.machine.weak_memory = seed % 2 == 1;
      runtime.set_schedule(random_walk_seed(seed));
      const RunResult first = runner.run(file.program, runtime, {});
      const Schedule record = runtime.recorded();
      runtime.set_schedule(record);
      const RunResult& second = runner.run(file.program, runtime, {});
      ASSERT_EQ(first.steps, second.steps) << file.path << " seed " << seed;
      ASSERT_EQ(first.outcomes, second.outcomes) << file.path << " seed " << seed;
      ASSERT_EQ(runtime.recorded(), record) << file.path << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace racier::program
