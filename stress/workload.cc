// stress/workload.cc - makes the programs of rounds.  Tested by workload_test.cc.
#include "stress/workload.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "core/base/require.h"
#include "core/program/machine_keys.h"
#include "core/program/ops.h"

namespace racier::stress {
namespace {

using program::Call;
using program::Calls;
using program::OpWeight;
using program::Program;
using program::Variable;

constexpr OpWeight kForkWeights[] = {
    {"fork", 24},     {"clone", 6},     {"exit", 16},      {"write", 24},
    {"read", 10},     {"add", 2},       {"unmap_page", 6}, {"page_referenced", 3},
    {"munmap", 2},    {"mmap_over", 3}, {"mprotect", 2},   {"mmap", 2},
    {"mmap_file", 1}, {"brk", 1},
};
constexpr OpWeight kFaultWeights[] = {
    {"write", 32},     {"read", 20},  {"add", 6},      {"fetch", 2},
    {"mmap_over", 9},  {"munmap", 6}, {"mprotect", 8}, {"mmap", 2},
    {"mmap_file", 2},  {"brk", 3},    {"fork", 3},     {"exit", 2},
    {"unmap_page", 4}, {"clone", 1},
};
constexpr OpWeight kReclaimWeights[] = {
    {"write", 30},      {"read", 18},           {"add", 4},      {"reclaim", 10},
    {"unmap_page", 12}, {"page_referenced", 8}, {"fork", 4},     {"exit", 4},
    {"mmap_over", 4},   {"munmap", 3},          {"mprotect", 2}, {"mmap_file", 1},
    {"brk", 1},
};

constexpr OpWeight kSwapWeights[] = {
    {"write", 26},
    {"read", 14},
    {"add", 2},
    {"unmap_page", 12},
    {"reclaim", 8},
    {"page_referenced", 4},
    {"fork", 10},
    {"exit", 8},
    {"clone", 2},
    {"madvise", 4},
    {"munmap", 2},
    {"mmap_over", 3},
    {"mprotect", 2},
    {"brk", 1},
    {"swapon", 6},
    {"swapoff", 6},
    {"interrupt_swapoff", 1},
};

constexpr OpWeight kLookupWeights[] = {
    {"read", 30},    {"write", 26},  {"add", 4},       {"fetch", 4},
    {"mprotect", 8}, {"munmap", 5},  {"mmap_over", 7}, {"mremap_over", 3},
    {"mmap", 2},     {"madvise", 3}, {"mlock", 1},     {"munlock", 1},
    {"brk", 3},      {"fork", 3},    {"clone", 3},     {"exit", 3},
};
constexpr const char* kLookupDraws[] = {"lookup", "ptl"};

constexpr OpWeight kTlbWeights[] = {
    {"write", 30},   {"read", 20},      {"add", 4},          {"fetch", 2},
    {"mprotect", 8}, {"munmap", 5},     {"mmap_over", 5},    {"mremap_over", 6},
    {"madvise", 4},  {"unmap_page", 6}, {"migrate_page", 4}, {"page_referenced", 3},
    {"reclaim", 3},  {"writeback", 4},  {"truncate", 1},     {"mmap_file_shared", 2},
    {"fork", 4},     {"exit", 4},       {"clone", 2},        {"idle", 3},
    {"sched_setaffinity", 3},
};
constexpr const char* kTlbDraws[] = {"ptl", "gather", "unmap", "lookup", "flush"};

constexpr OpWeight kNotifyWeights[] = {
    {"mmu_notifier_register", 6},
    {"mmu_notifier_unregister", 5},
    {"secondary_read", 20},
    {"secondary_write", 24},
    {"write", 20},
    {"read", 14},
    {"fork", 6},
    {"exit", 5},
    {"clone", 2},
    {"munmap", 4},
    {"mmap_over", 5},
    {"mprotect", 5},
    {"mremap_over", 3},
    {"madvise", 5},
    {"unmap_page", 6},
    {"migrate_page", 4},
    {"page_referenced", 2},
    {"reclaim", 2},
    {"writeback", 4},
    {"truncate", 1},
    {"mmap_file_shared", 2},
};
constexpr const char* kNotifyDraws[] = {"ptl", "gather", "unmap", "lookup"};

constexpr Workload kWorkloads[] = {
    {"fork", "processes that are born, share pages, and end", kForkWeights, 2048, 512,
     600, 4},
    {"fault", "faults against mmap, munmap and mprotect", kFaultWeights, 1024, 256,
     1000, 2},
    {"reclaim", "more pages than frames: swap, reclaim, reverse-map walks",
     kReclaimWeights, 160, 128, 1000, 1},
    {"swap", "swapoff and swapon, beside who is born, ends, and touches memory",
     kSwapWeights, 512, 48, 800, 2, 2},
    {"lookup",
     "faults that look for a vma, by all that lookup= knows, and who changes vmas",
     kLookupWeights, 1024, 256, 1000, 2, 1, kLookupDraws},
    {"tlb", "translations that are used while their ptes move, change and go",
     kTlbWeights, 512, 128, 1000, 2, 1, kTlbDraws},
    {"notify",
     "devices that translate addresses themselves, while what those map changes",
     kNotifyWeights, 512, 128, 1000, 2, 1, kNotifyDraws},
    {"mixed", "everything, as often as the fuzzer draws it", {}, 512, 128, 800, 2},
};

// A variable until all calls are known: who defines it, and the how-manieth of its kind
// there.
constexpr std::uint64_t reference(std::size_t list, std::uint32_t ordinal) {
  return std::uint64_t{list} << 32 | ordinal;
}

// Returns how faults of a round find vmas: each way has its turn, that of most programs
// every other time.
VmaLookup lookup_of(std::uint64_t round) {
  constexpr VmaLookup kOthers[] = {VmaLookup::kPerVma, VmaLookup::kKamezawa,
                                   VmaLookup::kVmacache, VmaLookup::kMmapCache};
  return round % 2 == 0 ? VmaLookup::kTree : kOthers[round / 2 % std::size(kOthers)];
}

// What is alive of what one list has defined.
struct Alive {
  std::vector<std::uint64_t> processes;
  std::vector<std::uint64_t> families;  // of those, who shares no memory with others
  std::vector<std::uint64_t> kthreads;
  std::vector<std::uint64_t> mappings;
  std::vector<std::uint64_t> pins;
  std::vector<std::uint64_t> secondaries;
  program::Scope defined;

  // Those of a kind that a call may be given without further thought.
  std::vector<std::uint64_t>& of(Variable kind) {
    if (kind == Variable::kPin) return pins;
    return kind == Variable::kSecondary ? secondaries : mappings;
  }
};

class Draft {
 public:
  explicit Draft(const RoundOptions& options)
      : workload_(*options.workload), random_(round_seed(options.seed, options.round)) {
    program_.machine.frames = workload_.frames;
    program_.machine.swap_slots = workload_.swap_slots;
    program_.machine.swap_areas = workload_.swap_areas;
    program_.machine.period.rcu =
        random_.below(2) == 0 ? RcuFlavour::kClassic : RcuFlavour::kPreempt;
    program_.machine.period.lookup = lookup_of(options.round);
    for (const char* const name : workload_.draws) {
      const program::MachineKey& key = program::machine_key(name);
      key.set(program_.machine, random_.below(key.last() + 1));
    }
    program_.bugs = options.bugs;
    if (options.patch != nullptr) {
      options.patch->set_machine(program_.machine);
      for (const Bug bug : options.patch->lacks) program_.bugs.arm(bug);
    }
    if (!options.rmap.empty()) program_.machine.rmap = options.rmap;
    program_.machine.host_mmu = options.host_mmu;
    program_.tasks.resize(static_cast<std::size_t>(options.threads));
    alive_.resize(program_.tasks.size() + 1);
    scope_.of(Variable::kFile) = program_.machine.files;
  }

  Program finish() {
    set_up();
    // Side by side, as they will run, so that tasks find each other's processes alive.
    for (std::uint32_t i = 0; i < workload_.calls; ++i) {
      for (std::size_t list = 1; list < alive_.size(); ++list) add_drawn(list);
    }
    number_variables();
    program_.schedule =
        program::draw_schedule(random_);  // for who replays it on fibers
    return std::move(program_);
  }

 private:
  static constexpr std::uint64_t kRw = kVmRead | kVmWrite;
  static constexpr std::size_t kKeptMax = 4;  // of a kind that a task keeps in mind
  static constexpr std::uint64_t kAddWords =
      6;  // `add` has words of its own, from here on

  Calls& calls(std::size_t list) { return program_.list(static_cast<int>(list)); }

  // Adds a call to a list; notes what it defines.
  void add(std::size_t list, const Call& call) {
    Alive& alive = alive_[list];
    if (const auto kind = program::op_of(call).defines) {
      const std::uint64_t defined = reference(list, alive.defined.of(*kind)++);
      if (*kind == Variable::kProcess) {
        add_process(alive, program::op_of(call).name, defined);
      } else {
        std::vector<std::uint64_t>& kept = alive.of(*kind);
        kept.push_back(defined);
        if (list != 0 && kept.size() > kKeptMax) kept.erase(kept.begin());
      }
    }
    calls(list).push_back(call);
  }
  static void add_process(Alive& alive, std::string_view op, std::uint64_t defined) {
    if (op == "kthread") return alive.kthreads.push_back(defined);
    alive.processes.push_back(defined);
    if (op == "fork" || op == "process") alive.families.push_back(defined);
  }
  void set_up_call(std::string_view op,
                   std::initializer_list<std::uint64_t> arguments) {
    Call call;
    call.op = *program::find_op(op);
    std::copy(arguments.begin(), arguments.end(), call.arguments.begin());
    add(0, call);
  }

  // Three processes that all tasks work on: a parent, its child, a thread of the
  // parent.
  void set_up() {
    const std::uint64_t p0 = reference(0, 0);
    set_up_call("process", {});
    set_up_call("mmap", {p0, 16, kRw, 0});
    set_up_call("mmap", {p0, 12, kRw, 0});
    set_up_call("mmap", {p0, 8, kRw, 1});
    set_up_call("mmap_file", {p0, 8, kRw, 0, 0});
    set_up_call("brk", {p0, 4});
    for (std::uint32_t mapping = 0; mapping < 4; ++mapping) {
      for (std::uint64_t page = 0; page < 4; ++page) {
        set_up_call("write", {p0, reference(0, mapping), page, 0});
      }
    }
    set_up_call("fork", {p0});
    set_up_call("clone", {p0});
    if (workload_.weights.empty()) set_up_call("kthread", {});
    if (workload_.weights.empty() || has("mmu_notifier_register")) {
      set_up_call("mmu_notifier_register", {p0, 0});
    }
  }

  bool has(std::string_view op) const {
    return std::ranges::find(workload_.weights, op, &OpWeight::op) !=
           workload_.weights.end();
  }

  void add_drawn(std::size_t list) {
    Call call = program::draw_call(random_, scope_, workload_.weights);
    Alive& alive = alive_[list];
    const std::string_view op = program::op_of(call).name;
    const bool starts = program::op_of(call).defines == Variable::kProcess;
    if (starts && alive.processes.size() >= workload_.processes_max) {
      redraw(call, "exit");
    }
    if (op == "exit" && alive.processes.empty()) redraw(call, "fork");
    // Not those that all tasks work on.
    const bool kills = op == "kill" || op == "coredump";
    if (kills && alive.families.empty()) redraw(call, "fork");
    // What is mapped anywhere is never unmapped on purpose: it goes with its process.
    const bool grows = op == "mmap" || op == "mmap_file";
    if (grows && alive.processes.empty()) redraw(call, "fork");
    fill(list, call);
    add(list, call);
  }
  void redraw(Call& call, std::string_view op) {
    call.op = *program::find_op(op);
    call.arguments = {};
    program::draw_arguments(random_, scope_, call);
  }

  // Gives a call variables that are, by all that is known here, alive.
  void fill(std::size_t list, Call& call) {
    const program::Op& op = program::op_of(call);
    const std::string_view name = op.name;
    for (int i = 0; i < op.argument_count; ++i) {
      std::uint64_t& argument = call.arguments[static_cast<std::size_t>(i)];
      const auto kind = op.type(i).variable();
      if (kind == Variable::kProcess) argument = draw_process(list, name);
      if (kind == Variable::kMapping) argument = draw_mapping(list);
      if (kind == Variable::kPin || kind == Variable::kSecondary) {
        argument = draw_kept(list, *kind);
      }
      // Only words that nobody adds to can be checked.
      if (std::string_view(op.argument_names[static_cast<std::size_t>(i)]) == "word") {
        argument %= kAddWords;
        if (name == "add") argument = kAddWords + argument % 2;
      }
    }
  }

  std::uint64_t any_of(const std::vector<std::uint64_t>& values) {
    return values[random_.below(values.size())];
  }
  std::uint64_t draw_process(std::size_t list, std::string_view op) {
    std::vector<std::uint64_t>& own = alive_[list].processes;
    if (op == "exit") {
      const std::size_t index = random_.below(own.size());
      const std::uint64_t process = own[index];
      own.erase(own.begin() + static_cast<std::ptrdiff_t>(index));
      std::erase(alive_[list].families, process);
      return process;
    }
    if (op == "kill" || op == "coredump") return any_of(alive_[list].families);
    if (op == "aio_run" || (op == "proc_maps" && random_.below(4) == 0)) {
      const auto& threads = alive_[list].kthreads;
      return any_of(threads.empty() ? alive_[0].kthreads : threads);
    }
    if (op == "mmap" || op == "mmap_file") return any_of(own);
    const std::uint64_t draw = random_.below(10);
    if (draw >= 6 && !own.empty()) return any_of(own);
    if (draw == 5) {
      const auto& others = alive_[1 + random_.below(alive_.size() - 1)].processes;
      if (!others.empty()) return any_of(others);
    }
    return any_of(alive_[0].processes);
  }
  std::uint64_t draw_mapping(std::size_t list) {
    const auto& own = alive_[list].mappings;
    if (random_.below(4) == 0 && !own.empty()) return any_of(own);
    return any_of(alive_[0].mappings);
  }

  // What some task has, its own most of the time.
  std::uint64_t draw_kept(std::size_t list, Variable kind) {
    const bool own = random_.below(4) != 0;
    const auto& kept = alive_[own ? list : random_.below(alive_.size())].of(kind);
    const auto& otherwise = alive_[0].of(kind);
    if (!kept.empty()) return any_of(kept);
    return otherwise.empty() ? program::kNoVariable : any_of(otherwise);
  }

  static constexpr Variable kDefined[] = {Variable::kProcess, Variable::kMapping,
                                          Variable::kPin, Variable::kSecondary};

  // Replaces references by numbers in program order.
  void number_variables() {
    std::vector<program::Scope> first(alive_.size());
    program::Scope next;
    for (std::size_t list = 0; list < alive_.size(); ++list) {
      first[list] = next;
      for (const Variable kind : kDefined) {
        next.of(kind) += alive_[list].defined.of(kind);
      }
    }
    for (std::size_t list = 0; list < alive_.size(); ++list) {
      for (Call& call : calls(list)) number_variables(call, first);
    }
  }
  static void number_variables(Call& call, const std::vector<program::Scope>& first) {
    const program::Op& op = program::op_of(call);
    for (int i = 0; i < op.argument_count; ++i) {
      const auto kind = op.type(i).variable();
      std::uint64_t& argument = call.arguments[static_cast<std::size_t>(i)];
      if (std::ranges::find(kDefined, kind) == std::end(kDefined)) continue;
      if (argument == program::kNoVariable) continue;
      argument = first[argument >> 32].of(*kind) + (argument & 0xffffffff);
    }
  }

  const Workload& workload_;
  Random random_;
  Program program_;
  std::vector<Alive> alive_;  // by list
  program::Scope scope_;      // of what needs no thought: files
};

}  // namespace

std::span<const Workload> workloads() { return kWorkloads; }

const Workload* find_workload(std::string_view name) {
  for (const Workload& workload : kWorkloads) {
    if (name == workload.name) return &workload;
  }
  return nullptr;
}

std::uint64_t round_seed(std::uint64_t seed, std::uint64_t round) {
  return Random::mixed(Random::mixed(seed) + round);
}

Program round_program(const RoundOptions& options) {
  require(options.workload != nullptr, "a round has a workload");
  require(options.threads >= 1 && options.threads <= program::kProgramTasksMax,
          "a round has as many tasks as a program may have");
  return Draft(options).finish();
}

}  // namespace racier::stress
