// stress/bench_lookups.cc - why each way to find a vma replaced the last.
//
// The same faults with every lookup=, for more vmas, for more threads, and for more
// threads while one of them changes a vma of its own again and again.  Tested by
// bench_test.sh.
#include "stress/bench_lookups.h"

#include <algorithm>
#include <iostream>
#include <vector>

#include "core/base/require.h"
#include "core/mm/fork.h"
#include "core/mm/madvise.h"
#include "core/mm/mmap.h"
#include "core/program/machine_keys.h"
#include "stress/bench_machine.h"
#include "stress/bench_tools.h"
#include "stress/curves.h"

namespace racier {
namespace {

constexpr std::uint64_t kPages = 64;  // of each thread

struct Effort : BenchEffort {
  std::vector<double> vmas = {1, 4, 16, 64, 256, 1024};
  std::vector<double> threads = {1, 2, 3, 4, 6, 8};
};
Effort quick_effort() { return {BenchEffort::quick(), {1, 4}, {1, 2}}; }

// Fills in a point: of a machine with a lookup, at `x`.
using Point = std::function<double(BenchMachine&, int x)>;

Curves draw(Curves curves, const Point& point) {
  const program::MachineKey& lookup = program::machine_key("lookup");
  for (std::uint64_t i = 0; i <= lookup.last(); ++i) {
    BenchMachine machine({.period = {.lookup = static_cast<VmaLookup>(i)}});
    Series series{lookup.print(i), {}};
    for (const double x : curves.x) {
      series.y.push_back(point(machine, static_cast<int>(x)));
    }
    curves.series.push_back(std::move(series));
  }
  return curves;
}

// Maps memory of its own for each of `count` threads, in tables of its own.
std::vector<VirtAddr> map_for_threads(Machine& m, Mm& mm, int count) {
  std::vector<VirtAddr> places;
  for (int i = 0; i < count; ++i) {
    const VirtAddr at = static_cast<VirtAddr>(i + 1) << 32;
    require(do_mmap(m, mm, {.addr = at, .pages = kPages, .vm_flags = kBenchRw}).ok(),
            "there is room");
    // The first page stays: it keeps the vma's anon_vma, and the table.
    touch_pages(m, mm, at, 1, i);
    places.push_back(at);
  }
  return places;
}

// Throws away all pages but the first, and faults them in again.
void fault_again(Machine& m, Mm& mm, VirtAddr at, int cpu) {
  const VirtAddr second = at + kPageSize;
  require(do_madvise(m, mm, {second, at + kPages * kPageSize}, Advice::kDontneed) ==
              Status::kOk,
          "madvise works");
  touch_pages(m, mm, second, kPages - 1, cpu);
}

// Nanoseconds of a fault by one thread, of an mm that has some vmas.
Curves vma_curves(const Effort& effort) {
  return draw(
      {.title = "a fault, in an mm of many vmas",
       .x_name = "vmas",
       .y_name = "ns a fault",
       .x = effort.vmas},
      [&](BenchMachine& machine, int vmas) {
        return machine.alone([&](Machine& m) {
          Mm* const mm = mm_create(m);
          const VirtAddr at = map_for_threads(m, *mm, 1).front();
          for (int i = 1; i < vmas; ++i) {
            const VirtAddr other =
                at + static_cast<VirtAddr>(i) * 2 * kPages * kPageSize;
            require(
                do_mmap(m, *mm, {.addr = other, .pages = 1, .vm_flags = kBenchRw}).ok(),
                "there is room");
          }
          const double ns = effort.nanoseconds_of([&] { fault_again(m, *mm, at, 0); });
          mmput(m, *mm);
          return ns / (kPages - 1);
        });
      });
}

// Likewise of some threads side by side, each in a vma of its own; `changed`: beside
// them one makes its vma read-only and writable again, all the time.
Curves thread_curves(const Effort& effort, const char* title, bool changed) {
  return draw(
      {.title = title,
       .x_name = "threads",
       .y_name = "ns a fault (all threads together)",
       .x = effort.threads},
      [&](BenchMachine& machine, int threads) {
        Mm* mm = nullptr;
        std::vector<VirtAddr> places;
        machine.alone([&](Machine& m) {
          mm = mm_create(m);
          places = map_for_threads(m, *mm, threads + 1);
          return 0.0;
        });
        Machine& m = machine.machine();
        const int times = std::max(1, static_cast<int>(effort.seconds * 5e3));
        double best = 1e300;
        for (int turn = 0; turn < effort.turns; ++turn) {
          std::atomic<int> at_work = threads;
          const auto work = [&](int thread) {
            const VirtAddr at = places[static_cast<std::size_t>(thread)];
            if (thread == threads) {
              const VirtRange all{at, at + kPages * kPageSize};
              while (at_work.load(std::memory_order_relaxed) > 0) {
                for (const std::uint32_t access : {std::uint32_t{kVmRead}, kBenchRw}) {
                  require(do_mprotect(m, *mm, all, access) == Status::kOk,
                          "mprotect works");
                }
              }
              return;
            }
            for (int i = 0; i < times; ++i) fault_again(m, *mm, at, thread);
            at_work.fetch_sub(1, std::memory_order_relaxed);
          };
          const double seconds =
              seconds_of([&] { machine.run_tasks(threads + (changed ? 1 : 0), work); });
          best = std::min(best, seconds * 1e9 / (times * threads * (kPages - 1.0)));
        }
        machine.run_tasks(1, [&](int) { mmput(m, *mm); });
        return best;
      });
}

std::vector<Curves> all_diagrams(const Effort& effort) {
  std::vector<Curves> diagrams;
  const auto add = [&](Curves curves) {
    set_reference(effort, curves);
    std::cout << to_text(curves) << std::endl;
    diagrams.push_back(std::move(curves));
  };
  add(vma_curves(effort));
  add(thread_curves(effort, "faults side by side", false));
  add(thread_curves(effort, "faults side by side, while a vma is changed", true));
  return diagrams;
}

}  // namespace

int bench_lookups(int argc, char** argv) {
  return bench_curves("lookups", argc, argv, [](bool quick) {
    return all_diagrams(quick ? quick_effort() : Effort());
  });
}

}  // namespace racier
