// stress/bench_designs.cc - why each design of the reverse map replaced the last.
//
// The same work on every design, for sizes that grow: a process with more pages, a page
// with more who map it, more walks at once.  All on native threads, as fast as the host
// allows; the figure of a point is the best of several turns, the designs in turn, so
// that a busy host disturbs all alike.
#include "stress/bench_designs.h"

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "core/base/require.h"
#include "core/mm/fork.h"
#include "core/mm/mmap.h"
#include "core/mm/page_alloc.h"
#include "core/mm/reclaim.h"
#include "core/rmap/scheme.h"
#include "stress/bench_machine.h"
#include "stress/bench_tools.h"
#include "stress/curves.h"

namespace racier {
namespace {

// How much is done.
struct Effort : BenchEffort {
  std::vector<double> pages = {1, 4, 16, 64, 256, 1024};
  std::vector<double> children = {1, 3, 10, 30, 100, 300, 1000};
  std::vector<double> threads = {1, 2, 3, 4};
};
Effort quick_effort() { return {BenchEffort::quick(), {1, 4}, {1, 3}, {1, 2}}; }

Page& page_of(Machine& m, Mm& mm, VirtAddr at) {
  return m.page(find_pte(m.frames, mm.context, at).peek().pfn());
}

// A process that has written to `pages` pages, every `stride`-th of its mapping.
struct Process {
  Process(Machine& m, std::uint64_t pages, std::uint64_t stride = 1)
      : m(m), pages(pages), mm(mm_create(m)) {
    at = *do_mmap(m, *mm, {.pages = pages * stride, .vm_flags = kBenchRw});
    for (std::uint64_t i = 0; i < pages; ++i) {
      touch_pages(m, *mm, at + i * stride * kPageSize, 1);
    }
  }
  ~Process() { mmput(m, *mm); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Machine& m;
  std::uint64_t pages;
  Mm* mm;
  VirtAddr at = 0;
};

// A process, and its children.
struct Family : Process {
  Family(Machine& m, std::uint64_t pages, int count, std::uint64_t stride = 1)
      : Process(m, pages, stride) {
    for (int i = 0; i < count; ++i) children.push_back(*dup_mm(m, *mm));
  }
  ~Family() {
    for (Mm* const child : children) mmput(m, *child);
  }
  std::vector<Mm*> children;
};

// ---- The diagrams ------------------------------------------------------------------

// Fills in a point: of machine `m` with a design, at `x`.
using Point = std::function<double(BenchMachine&, int x)>;

Curves draw(Curves curves, const Point& point, const Period& period = {}) {
  for (const rmap::SchemeRow& design : rmap::schemes()) {
    Series series{design.name, {}};
    BenchMachine machine({.rmap = design.name, .period = period});
    for (const double x : curves.x) {
      series.y.push_back(point(machine, static_cast<int>(x)));
    }
    curves.series.push_back(std::move(series));
  }
  return curves;
}

Curves fork_curves(const Effort& effort) {
  return draw({.title = "fork and exit of a process",
               .x_name = "pages",
               .y_name = "ns a page",
               .x = effort.pages},
              [&](BenchMachine& machine, int pages) {
                return machine.alone([&](Machine& m) {
                  Process parent(m, static_cast<std::uint64_t>(pages));
                  return effort.nanoseconds_of([&] {
                    mmput(m, **dup_mm(m, *parent.mm));
                  }) / pages;
                });
              });
}

Curves fault_curves(const Effort& effort) {
  return draw({.title = "first write to a page, and its end",
               .x_name = "pages",
               .y_name = "ns a page",
               .x = effort.pages},
              [&](BenchMachine& machine, int pages) {
                return machine.alone([&](Machine& m) {
                  Process process(m, 1);
                  const auto count = static_cast<std::uint64_t>(pages);
                  const double ns = effort.nanoseconds_of([&] {
                    const VirtAddr at = *do_mmap(
                        m, *process.mm, {.pages = count, .vm_flags = kBenchRw});
                    touch_pages(m, *process.mm, at, count);
                    require(do_munmap(m, *process.mm, {at, at + count * kPageSize}) ==
                                Status::kOk,
                            "munmap works");
                  });
                  return ns / pages;
                });
              });
}

// What a walk of a page of a family takes: one that all share, or one that a child has
// to itself.
Curves walk_curves(const Effort& effort, const char* title, bool private_page) {
  return draw({.title = title,
               .x_name = "children",
               .y_name = "ns a walk",
               .x = effort.children},
              [&](BenchMachine& machine, int count) {
                return machine.alone([&](Machine& m) {
                  Family family(m, 1, count);
                  Mm& owner = private_page ? *family.children.back() : *family.mm;
                  if (private_page) touch_pages(m, owner, family.at, 1);
                  Page& page = page_of(m, owner, family.at);
                  return effort.nanoseconds_of([&] { page_referenced(m, page); });
                });
              });
}

// The bytes that a design keeps for each vma of a family, or beside that for each pte.
Curves memory_curves(const Effort& effort, const char* title, const char* y_name,
                     bool of_ptes) {
  const auto bytes = [](Machine& m, std::uint64_t pages, int count) {
    Family family(m, pages, count);
    return m.slab_pages.live_bytes() -
           m.mm_cache.live_objects() * m.mm_cache.cache().stride() -
           m.vma_cache.live_objects() * m.vma_cache.cache().stride();
  };
  return draw(
      {.title = title, .x_name = "children", .y_name = y_name, .x = effort.children},
      [&](BenchMachine& machine, int count) {
        return machine.alone([&](Machine& m) {
          // A family has vmas * (of a vma + pages * of a pte) bytes.
          const double vmas = count + 1;
          const double one = static_cast<double>(bytes(m, 1, count)) / vmas;
          const double more = static_cast<double>(bytes(m, 33, count)) / vmas;
          const double of_a_pte = (more - one) / 32;
          return of_ptes ? of_a_pte : one - of_a_pte;
        });
      });
}

// Walks side by side of pages that a family shares: of one page, or of one for each
// thread, whose ptes have locks of their own.  How many there are in a second, all
// threads together.
Curves concurrent_curves(const Effort& effort, const char* title, bool own_pages) {
  constexpr int kChildren = 30;
  const int pages = own_pages ? static_cast<int>(effort.threads.back()) : 1;
  return draw({.title = title,
               .x_name = "threads",
               .y_name = "ns a walk (all threads together)",
               .x = effort.threads},
              [&](BenchMachine& machine, int threads) {
                double best = 1e300;
                std::unique_ptr<Family> family;
                machine.alone([&](Machine& m) {
                  family = std::make_unique<Family>(m, pages, kChildren, kTableEntries);
                  return 0.0;
                });
                Machine& m = machine.machine();
                const auto page_of_thread = [&](int thread) -> Page& {
                  const std::uint64_t table =
                      own_pages ? static_cast<unsigned>(thread) : 0;
                  return page_of(m, *family->mm,
                                 family->at + table * kTableEntries * kPageSize);
                };
                const int times = std::max(1, static_cast<int>(effort.seconds * 4e5));
                for (int turn = 0; turn < effort.turns; ++turn) {
                  const double seconds = seconds_of([&] {
                    machine.run_tasks(threads, [&](int thread) {
                      Page& page = page_of_thread(thread);
                      for (int i = 0; i < times; ++i) page_referenced(m, page);
                    });
                  });
                  best = std::min(best, seconds * 1e9 / (times * threads));
                }
                machine.run_tasks(1, [&](int) { family.reset(); });
                return best;
              },
              {.split_ptl = own_pages});
}

std::vector<Curves> all_diagrams(const Effort& effort) {
  std::vector<Curves> diagrams;
  const auto add = [&](Curves curves, bool time = true) {
    if (time) set_reference(effort, curves);
    std::cout << to_text(curves) << std::endl;
    diagrams.push_back(std::move(curves));
  };
  add(fork_curves(effort));
  add(fault_curves(effort));
  add(walk_curves(effort, "walk of a page that all children share", false));
  add(walk_curves(effort, "walk of a page that one child has to itself", true));
  add(memory_curves(effort, "memory for a vma more", "bytes a vma", false), false);
  add(memory_curves(effort, "memory for a pte more", "bytes a pte", true), false);
  add(concurrent_curves(effort, "walks side by side of one page that 30 children share",
                        false));
  add(concurrent_curves(
      effort, "walks side by side of pages, one a thread, that 30 children share",
      true));
  return diagrams;
}

}  // namespace

int bench_designs(int argc, char** argv) {
  return bench_curves("designs", argc, argv, [](bool quick) {
    return all_diagrams(quick ? quick_effort() : Effort());
  });
}

}  // namespace racier
