// stress/stress_options.h - what racier-stress is told.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/bug.h"
#include "stress/workload.h"

namespace racier::stress {

struct StressOptions {
  std::chrono::seconds duration{60};   // 0: until the rounds are done, or it is stopped
  std::uint64_t rounds = 0;            // 0: until the time is over
  std::optional<std::uint64_t> round;  // that one only, again and again
  int threads = 2;
  std::uint64_t seed = 0;
  const Workload* workload = nullptr;
  BugSet bugs;
  const program::AsPosted* patch = nullptr;  // null: none
  std::string rmap;                          // empty: the usual one
  bool host_mmu = false;
  std::optional<std::uint32_t> jitter;  // nothing: another one each round
  std::chrono::seconds stuck_after{20};
  std::filesystem::path findings = ".";
  std::filesystem::path json;  // empty: none
  bool abort = false;          // the first finding is the last
  bool print = false;          // the program of a round, and nothing else

  RoundOptions round_options(std::uint64_t round) const {
    return {seed, round, workload, threads, rmap, bugs, patch, host_mmu};
  }
};

// Options, or a text to print and the exit code to leave with.
struct ParsedStressOptions {
  StressOptions options;
  std::optional<int> exit_code;
  std::string text;
};

// `seed` is for who does not name one.
ParsedStressOptions parse_stress_options(int argc, const char* const* argv,
                                         std::uint64_t seed);

// Returns what tells one run from another: "--seed 7 --workload mixed --threads 4".
std::string print_options(const StressOptions& options);
// Returns the command that runs that round again, in the same build.
std::string replay_command(const StressOptions& options, std::uint64_t round);

}  // namespace racier::stress
