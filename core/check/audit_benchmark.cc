// core/check/audit_benchmark.cc - what an audit and a watched access cost.
#include <benchmark/benchmark.h>

#include "core/check/world_for_test.h"

namespace racier::check {
namespace {

// Two mms, a dozen vmas, a dozen pages.
void BM_Audit(benchmark::State& state) {
  World world;
  RunState* const before = set_current_run(&world.run);
  const Watcher* const watcher = state.range(0) != 0 ? &world.watcher : nullptr;
  for (auto _ : state) world.auditor.audit(watcher, world.expected());
  set_current_run(before);
}
BENCHMARK(BM_Audit)->Arg(0)->Arg(1);

// One mm with one page: what a two-task program of eight ops leaves.
void BM_AuditSmall(benchmark::State& state) {
  Bench bench;
  bench.in_task([&] {
    Mm& mm = *mm_create(bench.m);
    bench.map(mm, 0x1000'0000, 4, kVmRead | kVmWrite);
    bench.write(mm, 0x1000'0000);
  });
  RunState* const before = set_current_run(&bench.run);
  for (auto _ : state) bench.auditor.audit(&bench.watcher);
  set_current_run(before);
}
BENCHMARK(BM_AuditSmall);

void BM_Leaks(benchmark::State& state) {
  World world;
  world.tear_down();
  RunState* const before = set_current_run(&world.run);
  for (auto _ : state) world.auditor.audit_leaks();
  set_current_run(before);
}
BENCHMARK(BM_Leaks);

void BM_WatchedAccess(benchmark::State& state) {
  World world;
  ShadowMemory memory = world.watcher.memory();
  std::uint64_t value = 1;
  for (auto _ : state) {
    memory.accessed(1, World::kAnon, UserAccess::kWrite, ++value, 0);
    memory.accessed(1, World::kAnon, UserAccess::kRead, value, 0);
  }
}
BENCHMARK(BM_WatchedAccess);

void BM_WatchedWalk(benchmark::State& state) {
  WalkAudit walks;
  walks.added(7, 1, 0x1000);
  walks.added(7, 2, 0x1000);
  for (auto _ : state) {
    walks.walk_begin(7);
    walks.walk_shown(7, 1, 0x1000);
    walks.walk_shown(7, 2, 0x1000);
    walks.walk_end(7, false);
  }
}
BENCHMARK(BM_WatchedWalk);

}  // namespace
}  // namespace racier::check
