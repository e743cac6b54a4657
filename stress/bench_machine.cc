// stress/bench_machine.cc - machines for curves, and the command that draws them.
// Tested by bench_test.sh.
#include "stress/bench_machine.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <iostream>
#include <string>

#include "core/base/require.h"
#include "core/mm/boot.h"
#include "core/mm/fault.h"
#include "core/runtime/native_runtime.h"
#include "stress/bench_tools.h"
#include "stress/ping_pong.h"
#include "stress/read_options.h"

namespace racier {

double BenchEffort::nanoseconds_of(const std::function<void()>& work) const {
  double best = 1e300;
  for (int turn = 0; turn < turns; ++turn) {
    int times = 0;
    const double spent = seconds_of([&] {
      const auto end =
          std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
      do {
        work();
        ++times;
      } while (std::chrono::steady_clock::now() < end);
    });
    best = std::min(best, spent * 1e9 / times);
  }
  return best;
}

BenchMachine::BenchMachine(const Kind& kind)
    : machine_(make_machine({.rmap = kind.rmap,
                             .frames = 16384,
                             .slab_pages = 8192,
                             .swap_slots = 0,
                             .host_mmu = kind.host_mmu,
                             .period = kind.period})) {}

double BenchMachine::alone(const std::function<double(Machine&)>& work) {
  double result = 0;
  boot(*machine_, run_);
  run_tasks(1, [&](int) { result = work(*machine_); });
  return result;
}

void BenchMachine::run_tasks(int tasks, const std::function<void(int)>& work) {
  NativeRuntime runtime(1);
  std::vector<std::function<void()>> bodies;
  for (int i = 0; i < tasks; ++i) bodies.emplace_back([&work, i] { work(i); });
  std::vector<FunctionRef<void()>> refs(bodies.begin(), bodies.end());
  runtime.run(run_, refs);
  require(!run_.over(), "the benchmark is clean");
}

void touch_pages(Machine& m, Mm& mm, VirtAddr at, std::uint64_t pages, int cpu) {
  for (std::uint64_t i = 0; i < pages; ++i) {
    const UserResult result =
        user_access(m, mm, cpu, at + i * kPageSize, UserAccess::kWrite, 1);
    require(result.status == Status::kOk, "memory is there");
  }
}

void set_reference(const BenchEffort& effort, Curves& curves) {
  PingPong raw;
  curves.reference_name = "a raw switch";
  curves.reference = effort.nanoseconds_of([&] { raw.play(1000); }) / 2000;
}

int bench_curves(const char* name, int argc, char** argv,
                 const std::function<std::vector<Curves>(bool quick)>& diagrams) {
  namespace options = boost::program_options;
  std::string json;
  std::string svg;
  options::options_description all("options");
  all.add_options()("help", "print this text")(
      "json", options::value(&json)->value_name("FILE"),
      "write the curves to FILE, too")("svg", options::value(&svg)->value_name("FILE"),
                                       "draw them to FILE")(
      "quick",
      "does little for each point: is everything there?  (no figures to keep)");
  options::variables_map given;
  try {
    given = stress::read_options(all, argc, argv);
  } catch (const options::error& error) {
    return bench_wrong_use(error);
  }
  if (given.count("help") != 0) {
    std::cout << "usage: racier bench " << name << " [options]\n" << all;
    return 0;
  }
  const std::vector<Curves> drawn = diagrams(given.count("quick") != 0);
  const int wrote =
      write_bench_result(json, json.empty() ? "" : to_json(drawn).dump(2) + "\n");
  return wrote != 0 ? wrote : write_bench_result(svg, svg.empty() ? "" : to_svg(drawn));
}

}  // namespace racier
