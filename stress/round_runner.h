// stress/round_runner.h - one round: a program on native threads, and all that is
// checked.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <numeric>
#include <optional>

#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/native_runtime.h"

namespace racier::stress {

inline constexpr std::size_t kStatuses = static_cast<std::size_t>(Status::kIo) + 1;

// How many calls each thread has made.  Any thread may look.
class CallCounts final : public program::CallObserver {
 public:
  void call_ends(int list, std::uint32_t) override {
    if (list == 0) return;
    std::atomic<std::uint64_t>& count =
        counts_[static_cast<std::size_t>(list - 1)].calls;
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  std::uint64_t of(int thread) const {
    return counts_[static_cast<std::size_t>(thread)].calls.load(
        std::memory_order_relaxed);
  }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (int i = 0; i < program::kProgramTasksMax; ++i) sum += of(i);
    return sum;
  }

 private:
  struct alignas(128) Count {
    std::atomic<std::uint64_t> calls{0};
  };
  std::array<Count, program::kProgramTasksMax> counts_;
};

// What came of the calls of tasks, and which rare paths they took.
struct Tally {
  std::array<std::uint64_t, kStatuses> calls{};  // that did something, by status
  std::uint64_t skipped = 0;
  std::array<std::uint64_t, kMarks> marks{};

  // Calls that did something.
  std::uint64_t done() const {
    return std::accumulate(calls.begin(), calls.end(), 0ull);
  }
  void add(const Tally& other);
};

// Returns a jitter for the round of that seed: none, or one of several.
std::uint32_t draw_jitter(std::uint64_t seed);

struct RoundResult {
  std::optional<Finding> finding;
  program::Phase phase = program::Phase::kSetup;
  Tally tally;
};

class RoundRunner {
 public:
  // Runs `program`; `seed` is for choices and jitter (see NativeRuntime::set_jitter()).
  RoundResult run(const program::Program& program, std::uint64_t seed,
                  std::uint32_t jitter);

  // For who watches from another thread.
  NativeRuntime& runtime() { return threads_; }
  const CallCounts& counts() const { return counts_; }

 private:
  FiberRuntime alone_;
  program::Runner runner_{alone_};
  NativeRuntime threads_;
  CallCounts counts_;
};

}  // namespace racier::stress
