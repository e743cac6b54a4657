// stress/workload.h - what stress runs: programs made from a seed, round after round.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/program/as_posted.h"
#include "core/program/generate.h"
#include "core/program/program.h"

namespace racier::stress {

// A mix of calls, and a machine that suits it.
struct Workload {
  const char* name;
  const char* sentence;
  std::span<const program::OpWeight> weights;  // empty: those of the ops themselves
  std::uint32_t frames;
  std::uint32_t swap_slots;
  std::uint32_t calls;        // of each task
  std::size_t processes_max;  // that a task has alive at one time
  std::uint32_t swap_areas = 1;
  // Keys of the machine that have any value, each round another.
  std::span<const char* const> draws = {};
};

std::span<const Workload> workloads();
// Returns nullptr if there is none of that name.
const Workload* find_workload(std::string_view name);

struct RoundOptions {
  std::uint64_t seed = 0;
  std::uint64_t round = 0;
  const Workload* workload = nullptr;
  int threads = 2;
  std::string rmap;  // empty: the usual one
  BugSet bugs;
  const program::AsPosted* patch = nullptr;  // null: none
  bool host_mmu = false;
};

// Returns a seed for everything in that round that is drawn at run time.
std::uint64_t round_seed(std::uint64_t seed, std::uint64_t round);

// Returns the program of a round: the same for the same options, on any host.
//
// Unlike program::generate(), which makes short programs, it keeps track of what is
// alive: a task mostly works on the processes that all share and on its own, young
// ones, which it ends again; so most of thousands of calls have something to do, and
// memory lasts.
program::Program round_program(const RoundOptions& options);

}  // namespace racier::stress
