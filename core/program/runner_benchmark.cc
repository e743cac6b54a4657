// core/program/runner_benchmark.cc - what one execution costs, and what is around it.
#include <benchmark/benchmark.h>

#include "core/program/bytes.h"
#include "core/program/generate.h"
#include "core/program/mutate.h"
#include "core/program/parse.h"
#include "core/program/print.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/run_alone.h"

namespace racier::program {
namespace {

// Two tasks, eight calls in all, of which two set up.
constexpr std::string_view kEightCalls = R"(machine frames=64
setup
  p0 = process
  m0 = mmap p0 2 rw private
task A
  write p0 m0 0 0
  p1 = fork p0
  write p1 m0 0 0
task B
  write p0 m0 1 0
  unmap_page p0 m0 1
  read p0 m0 0 0
schedule strategy=pos seed=1
)";

void run(benchmark::State& state, const RunOptions& options) {
  const Program program = *parse(kEightCalls).program;
  FiberRuntime alone;
  Runner runner(alone);
  FiberRuntime runtime;
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;
  for (auto _ : state) {
    Schedule schedule = program.schedule;
    schedule.seed = seed++;
    runtime.set_schedule(schedule);
    const RunResult& result = runner.run(program, runtime, options);
    if (result.finding) state.SkipWithError(result.finding->title.c_str());
    steps += result.steps;
  }
  state.counters["steps"] = benchmark::Counter(static_cast<double>(steps),
                                               benchmark::Counter::kAvgIterations);
  state.SetItemsProcessed(state.iterations());
}

void everything(benchmark::State& state) { run(state, {}); }
BENCHMARK(everything);

void no_watcher(benchmark::State& state) { run(state, {.watch = false}); }
BENCHMARK(no_watcher);

void no_audit(benchmark::State& state) { run(state, {.audit = false, .watch = false}); }
BENCHMARK(no_audit);

void no_teardown(benchmark::State& state) {
  run(state, {.audit = false, .teardown = false, .watch = false});
}
BENCHMARK(no_teardown);

void empty_program(benchmark::State& state) {
  FiberRuntime alone;
  Runner runner(alone);
  const Program program = *parse("machine frames=64").program;
  for (auto _ : state) benchmark::DoNotOptimize(runner.run(program, alone, {}));
}
BENCHMARK(empty_program);

void decode_it(benchmark::State& state) {
  const auto bytes = encode(*parse(kEightCalls).program);
  for (auto _ : state) benchmark::DoNotOptimize(decode(bytes));
}
BENCHMARK(decode_it);

void mutate_it(benchmark::State& state) {
  const Program program = *parse(kEightCalls).program;
  Random random(1);
  for (auto _ : state) {
    Program changed = program;
    mutate(changed, random);
    benchmark::DoNotOptimize(encode(changed));
  }
}
BENCHMARK(mutate_it);

void print_it(benchmark::State& state) {
  const Program program = *parse(kEightCalls).program;
  for (auto _ : state) benchmark::DoNotOptimize(print(program));
}
BENCHMARK(print_it);

void parse_it(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(parse(kEightCalls));
}
BENCHMARK(parse_it);

}  // namespace
}  // namespace racier::program
