// stress/bench.cc - racier-bench: how fast, against a reference measured in the same
// run.
//
// A row is a figure of ours, the figure of something that everybody knows, and the
// ratio of the two: a raw context switch, the host kernel's own system calls.  Each is
// the best of several turns, ours and the reference's in turn, so that a busy host
// disturbs both alike.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/require.h"
#include "core/mm/boot.h"
#include "core/mm/fault.h"
#include "core/mm/fork.h"
#include "core/mm/mmap.h"
#include "core/program/parse.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/native_runtime.h"
#include "core/runtime/sanitizers.h"
#include "core/sync/spin_lock.h"
#include "stress/bench_designs.h"
#include "stress/bench_lookups.h"
#include "stress/bench_machine.h"
#include "stress/bench_strategies.h"
#include "stress/bench_tools.h"
#include "stress/ping_pong.h"
#include "stress/read_options.h"

namespace racier {
namespace {

namespace options = boost::program_options;

// One figure and what it is held against.
struct Row {
  std::string what;
  std::string unit;
  double ours = 0;
  std::string reference_name;
  double reference = 0;
  double ratio = 0;  // as `aim` means it
  std::string aim;
};

// How much is done for a row.
struct Effort {
  int turns = 5;
  int divisor = 1;
  int of(int times) const { return std::max(1, times / divisor); }
};
constexpr Effort kQuick = {.turns = 1, .divisor = 100};

// How often a second each of the two happens: the best of `turns`, in turn.
struct Rates {
  double ours = 0;
  double reference = 0;
};
Rates measure(int turns, double ours_count, const std::function<void()>& ours,
              double reference_count, const std::function<void()>& reference) {
  Rates best;
  for (int turn = 0; turn < turns; ++turn) {
    best.ours = std::max(best.ours, ours_count / seconds_of(ours));
    best.reference = std::max(best.reference, reference_count / seconds_of(reference));
  }
  return best;
}

// ---- Steps
// ---------------------------------------------------------------------------------

constexpr int kSwitches = 1'000'000;  // with all effort

constexpr LockClass kBenchLock{"bench", 40};

// Two tasks that do nothing but take a lock and let it go; returns the steps it took.
std::uint32_t lock_only_program(FiberRuntime& runtime, int times) {
  RunState run;
  SpinLock lock(kBenchLock);
  const auto body = [&] {
    for (int i = 0; i < times; ++i) const SpinGuard guard(lock);
  };
  const FunctionRef<void()> bodies[] = {body, body};
  runtime.run(run, bodies);
  require(!run.over(), "the lock-only program is clean");
  return runtime.steps();
}

Row steps_row(const Effort& effort, StrategyKind strategy) {
  const int times = effort.of(200'000);
  const int switches = effort.of(kSwitches);
  Schedule schedule;
  schedule.strategy = strategy;
  schedule.seed = 1;
  FiberRuntime runtime(schedule);
  PingPong raw;
  const double steps = lock_only_program(runtime, times);
  const Rates rates = measure(
      effort.turns, steps, [&] { lock_only_program(runtime, times); }, 2.0 * switches,
      [&] { raw.play(switches); });
  return {std::string("steps, lock-only program, ") + strategy_name(strategy),
          "million/s",
          rates.ours / 1e6,
          "raw context switches, million/s",
          rates.reference / 1e6,
          rates.ours / rates.reference,
          "20 million steps/s"};
}

// ---- Executions
// ----------------------------------------------------------------------------

constexpr const char* kTwoTasksEightOps = R"(
setup
  p0 = process
  m0 = mmap p0 4 rw private
task A
  write p0 m0 0 0
  p1 = fork p0
  write p1 m0 0 1
  exit p1
task B
  write p0 m0 1 2
  add p0 m0 0 3
  munmap p0 m0 1 1
  read p0 m0 0 4
schedule strategy=pos seed=1
expect clean
)";

// What this build aims at, in thousands of executions a second.
const char* executions_aim() {
  if (sanitizers::asan()) return "20 thousand/s";
  if (sanitizers::tsan()) return "5 thousand/s";
  return "100 thousand/s";
}

// Complete executions: boot, set-up, tasks, audits, teardown, leak audit.
Row executions_row(const Effort& effort, StrategyKind strategy) {
  const int times = effort.of(5'000);
  const int switches = effort.of(kSwitches);
  const program::Parsed parsed = program::parse(kTwoTasksEightOps);
  require(parsed.program.has_value(), "the benchmark's program parses");
  const program::Program& program = *parsed.program;
  FiberRuntime alone;
  FiberRuntime runtime;
  program::Runner runner(alone);
  Schedule schedule = program.schedule;
  schedule.strategy = strategy;
  runtime.set_schedule(schedule);
  std::uint64_t steps = 0;
  const auto ours = [&] {
    steps = 0;
    for (int i = 0; i < times; ++i) {
      const program::RunResult& result = runner.run(program, runtime, {});
      require(!result.finding, "the program is clean");
      steps += result.steps;
      runtime.strategy().next_execution();
    }
  };
  PingPong raw;
  const Rates rates =
      measure(effort.turns, times, ours, 2.0 * switches, [&] { raw.play(switches); });
  return {"executions of two tasks, eight ops, " + std::to_string(steps / times) +
              " steps, " + strategy_name(strategy),
          "thousand/s",
          rates.ours / 1e3,
          "raw context switches in the time of one",
          rates.reference / rates.ours,
          rates.ours / 1e3,
          executions_aim()};
}

// program_fuzz, timing itself.
class Measuring {
 public:
  Measuring(const std::string& program, const std::string& seeds)
      : pipe_(popen(
            ("'" + program + "' --measure=20000 -seed=1 '" + seeds + "' 2>/dev/null")
                .c_str(),
            "r")) {}
  ~Measuring() {
    if (pipe_ != nullptr) pclose(pipe_);
  }
  Measuring(const Measuring&) = delete;
  Measuring& operator=(const Measuring&) = delete;

  // Waits for its end.  Executions/s, with and without libFuzzer.
  Rates rates() {
    Rates rates;
    if (pipe_ == nullptr || std::fscanf(pipe_, "measured: %lf executions/s, %lf",
                                        &rates.ours, &rates.reference) != 2) {
      throw std::runtime_error("program_fuzz --measure=20000 printed no figures");
    }
    return rates;
  }

 private:
  std::FILE* pipe_;
};

// The executions of program_fuzz, and the same without libFuzzer.
Row fuzz_row(const std::string& program, const std::string& seeds) {
  Rates best;
  for (int turn = 0; turn < 3; ++turn) {
    const Rates rates = Measuring(program, seeds).rates();
    if (rates.ours > best.ours) best = rates;
  }
  return {"fuzz executions",    "thousand/s",
          best.ours / 1e3,      "the same without libFuzzer, thousand/s",
          best.reference / 1e3, best.ours / best.reference,
          "0.7 of it"};
}

// What two processes at a time are worth on this host: of raw context switches, in
// registers and the first level of caches.
Row host_row(const Effort& effort) {
  const int switches = effort.of(20 * kSwitches);
  const auto play = [switches] { PingPong().play(switches); };
  const auto play_in_two = [&] {
    const pid_t child = fork();
    require(child >= 0, "the host forks");
    play();
    if (child == 0) _exit(0);
    require(waitpid(child, nullptr, 0) == child, "the child ends");
  };
  const Rates rates =
      measure(effort.turns, 4.0 * switches, play_in_two, 2.0 * switches, play);
  return {"raw context switches of two processes",
          "million/s",
          rates.ours / 1e6,
          "those of one, million/s",
          rates.reference / 1e6,
          rates.ours / rates.reference,
          "what the host can do for the row below"};
}

// Two processes at a time.
Row two_processes_row(const std::string& program, const std::string& seeds) {
  double one = 0;
  double two = 0;
  for (int turn = 0; turn < 3; ++turn) {
    one = std::max(one, Measuring(program, seeds).rates().ours);
    Measuring a(program, seeds);
    Measuring b(program, seeds);
    two = std::max(two, a.rates().ours + b.rates().ours);
  }
  return {"fuzz executions of two processes",
          "thousand/s",
          two / 1e3,
          "those of one, thousand/s",
          one / 1e3,
          two / one,
          "1.9 of it"};
}

// ---- Against the host kernel
// ---------------------------------------------------------------

// Runs `work` as the only task of a native run on a machine with an address space.
void on_native_machine(const std::function<void(Machine&, Mm&)>& work) {
  MachineOptions options;
  options.frames = 4096;
  const std::unique_ptr<Machine> machine = make_machine(options);
  RunState run;
  boot(*machine, run);
  NativeRuntime runtime(1);
  const auto body = [&] {
    Mm* const mm = mm_create(*machine);
    work(*machine, *mm);
    mmput(*machine, *mm);
  };
  const FunctionRef<void()> bodies[] = {body};
  runtime.run(run, bodies);
  require(!run.over(), "the benchmark is clean");
}

Row against_host(const Effort& effort, const char* what, double times,
                 const std::function<void(Machine&, Mm&)>& ours,
                 const std::function<void()>& host) {
  Row row;
  on_native_machine([&](Machine& m, Mm& mm) {
    const Rates rates = measure(
        effort.turns, times, [&] { ours(m, mm); }, times, host);
    row = {what,
           "million/s",
           rates.ours / 1e6,
           "the host's system calls, million/s",
           rates.reference / 1e6,
           rates.ours / rates.reference,
           "20 times"};
  });
  return row;
}

Row mmap_row(const Effort& effort) {
  const int times = effort.of(20'000);
  bool neighbour = false;
  const auto ours = [&](Machine& m, Mm& mm) {
    // As in the host's process, the page tables are there for somebody else already.
    if (!neighbour)
      touch_pages(m, mm, *do_mmap(m, mm, {.pages = 1, .vm_flags = kBenchRw}), 1);
    neighbour = true;
    for (int i = 0; i < times; ++i) {
      const VirtAddr at = *do_mmap(m, mm, {.pages = 1, .vm_flags = kBenchRw});
      touch_pages(m, mm, at, 1);
      require(do_munmap(m, mm, {at, at + kPageSize}) == Status::kOk, "munmap works");
    }
  };
  const auto host = [&] {
    for (int i = 0; i < times; ++i) {
      void* const at = mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      require(at != MAP_FAILED, "the host maps a page");
      *static_cast<volatile char*>(at) = 1;
      munmap(at, kPageSize);
    }
  };
  return against_host(effort, "mmap + touch + munmap of one page", times, ours, host);
}

Row fork_row(const Effort& effort) {
  const int times = effort.of(200);
  constexpr std::uint64_t kPages = 64;
  bool mapped = false;
  const auto ours = [&](Machine& m, Mm& mm) {
    if (!mapped)
      touch_pages(m, mm, *do_mmap(m, mm, {.pages = kPages, .vm_flags = kBenchRw}),
                  kPages);
    mapped = true;
    for (int i = 0; i < times; ++i) mmput(m, **dup_mm(m, mm));
  };
  const auto host = [&] {
    for (int i = 0; i < times; ++i) {
      const pid_t child = fork();
      if (child == 0) _exit(0);
      require(child > 0 && waitpid(child, nullptr, 0) == child, "the host forks");
    }
  };
  constexpr const char* kWhat = "fork + exit of 64 pages (the host: of this program)";
  return against_host(effort, kWhat, times, ours, host);
}

// User accesses through the host's MMU, against as many through the one in software: of
// a translation that is cached, or of one that is flushed before each.
Row mmu_row(const Effort& effort, const char* what, int times, bool flushes) {
  const auto accesses = [&](BenchMachine& machine) {
    machine.alone([&](Machine& m) {
      Mm* const mm = mm_create(m);
      const VirtAddr at = *do_mmap(m, *mm, {.pages = 1, .vm_flags = kBenchRw});
      touch_pages(m, *mm, at, 1);
      for (int i = 0; i < times; ++i) {
        if (flushes) m.mmu->flush_page(mm->context, at);
        std::uint64_t value = 1;
        PageFault fault;
        require(m.mmu->access(0, mm->context, at, UserAccess::kWrite, value, fault),
                "the page is there");
      }
      mmput(m, *mm);
      return 0.0;
    });
  };
  BenchMachine host({.host_mmu = true});
  BenchMachine soft({});
  const Rates rates = measure(
      effort.turns, times, [&] { accesses(host); }, times, [&] { accesses(soft); });
  return {what,
          "million/s",
          rates.ours / 1e6,
          "the same with mmu=soft, million/s",
          rates.reference / 1e6,
          rates.ours / rates.reference,
          "none"};
}

// ---- Output
// --------------------------------------------------------------------------------

void print(const Row& row) {
  std::printf("%-52s %10.3f %-11s  %-48s %10.3f  ratio %8.2f  aim %s\n",
              row.what.c_str(), row.ours, row.unit.c_str(), row.reference_name.c_str(),
              row.reference, row.ratio, row.aim.c_str());
  std::fflush(stdout);
}

nlohmann::json to_json(const std::vector<Row>& rows) {
  nlohmann::json json = nlohmann::json::array();
  for (const Row& row : rows) {
    json.push_back({{"what", row.what},
                    {"ours", row.ours},
                    {"unit", row.unit},
                    {"reference_name", row.reference_name},
                    {"reference", row.reference},
                    {"ratio", row.ratio},
                    {"aim", row.aim}});
  }
  return json;
}

// The one that was built with this program.
std::string program_fuzz() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() /
         "fuzz/program_fuzz";
}

int bench(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "strategies") {
    return bench_strategies(argc - 1, argv + 1);
  }
  if (argc > 1 && std::string_view(argv[1]) == "designs") {
    return bench_designs(argc - 1, argv + 1);
  }
  if (argc > 1 && std::string_view(argv[1]) == "lookups") {
    return bench_lookups(argc - 1, argv + 1);
  }
  std::string json;
  std::string seeds;
  options::options_description all("options");
  all.add_options()("help", "print this text")(
      "json", options::value(&json)->value_name("FILE"),
      "write the table to FILE, too")(
      "inputs", options::value(&seeds)->value_name("DIR"),
      "the inputs that program_fuzz begins with (else it is not measured)")(
      "quick", "does little for each row: is everything there?  (no figures to keep)");
  options::variables_map given;
  try {
    given = stress::read_options(all, argc, argv);
  } catch (const options::error& error) {
    return bench_wrong_use(error);
  }
  if (given.count("help") != 0) {
    std::cout << "usage: racier bench [options]\n"
                 "       racier bench strategies [options]\n"
                 "       racier bench designs [options]\n"
                 "       racier bench lookups [options]\n"
              << all;
    return 0;
  }
  const Effort effort = given.count("quick") != 0 ? kQuick : Effort();
  std::vector<Row> rows;
  std::vector<std::function<Row()>> makers = {
      [&] { return steps_row(effort, StrategyKind::kRunToBlock); },
      [&] { return steps_row(effort, StrategyKind::kRandomWalk); },
      [&] { return steps_row(effort, StrategyKind::kPos); },
      [&] { return executions_row(effort, StrategyKind::kPct); },
      [&] { return executions_row(effort, StrategyKind::kRandomWalk); },
      [&] { return executions_row(effort, StrategyKind::kPos); },
      [&] { return executions_row(effort, StrategyKind::kPortfolio); },
      [&] { return mmap_row(effort); },
      [&] { return fork_row(effort); },
      [&] {
        return mmu_row(effort, "stores, mmu=host, cached", effort.of(500'000), false);
      },
      [&] {
        return mmu_row(effort, "stores, mmu=host, flushed before", effort.of(20'000),
                       true);
      }};
  const std::string fuzz = program_fuzz();
  if (!seeds.empty()) {
    makers.push_back([&] { return fuzz_row(fuzz, seeds); });
    makers.push_back([&] { return host_row(effort); });
    makers.push_back([&] { return two_processes_row(fuzz, seeds); });
  }
  try {
    for (const auto& make : makers) {
      rows.push_back(make());
      print(rows.back());
    }
  } catch (const std::runtime_error& error) {
    std::cerr << "racier-bench: " << error.what() << "\n";
    return 3;
  }
  return write_bench_result(json, to_json(rows).dump(2) + "\n");
}

}  // namespace
}  // namespace racier

int main(int argc, char** argv) { return racier::bench(argc, argv); }
