// stress/bench_machine.h - machines on native threads, for benchmarks that draw curves.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "core/objects/machine.h"
#include "core/base/run_state.h"
#include "stress/curves.h"

namespace racier {

inline constexpr std::uint32_t kBenchRw = kVmRead | kVmWrite;

// How much is done for a point of a curve.
struct BenchEffort {
  int turns = 5;
  double seconds = 0.02;  // of a turn, about

  static BenchEffort quick() { return {.turns = 1, .seconds = 0.0001}; }
  // Runs `work` about as long as a turn takes; returns the nanoseconds of one time, in
  // the best turn.
  double nanoseconds_of(const std::function<void()>& work) const;
};

// A machine with room for a thousand processes; without swap.
class BenchMachine {
 public:
  struct Kind {
    std::string rmap = MachineOptions().rmap;
    Period period = {};
    bool host_mmu = false;
  };
  explicit BenchMachine(const Kind& kind);

  Machine& machine() { return *machine_; }
  // Returns what `work` does, as the only task of a run; boots first.
  double alone(const std::function<double(Machine&)>& work);
  // Runs `work(i)` in `tasks` tasks at once, without booting.
  void run_tasks(int tasks, const std::function<void(int)>& work);

 private:
  std::unique_ptr<Machine> machine_;
  RunState run_;
};

// Writes a word of each page from `at` on, on CPU `cpu`.  Context: a task.
void touch_pages(Machine& m, Mm& mm, VirtAddr at, std::uint64_t pages, int cpu = 0);

// Holds nanoseconds against those of a raw context switch, measured now.
void set_reference(const BenchEffort& effort, Curves& curves);

// The command `racier bench NAME`: reads the options, has the diagrams made (which are
// printed meanwhile), writes files.  Returns the exit code.
int bench_curves(const char* name, int argc, char** argv,
                 const std::function<std::vector<Curves>(bool quick)>& diagrams);

}  // namespace racier
