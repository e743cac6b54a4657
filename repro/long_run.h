// repro/long_run.h - how long a program may run.
#pragma once
#include <algorithm>
#include <cstdint>

#include "core/program/program.h"
#include "core/runtime/fiber_runtime.h"

namespace racier::repro {

// Returns a limit of steps for `program`: that of a fuzzer's programs, or more if it is
// a long one, like a recording.
inline std::uint32_t steps_max_of(const program::Program& program) {
  constexpr std::uint64_t kStepsPerCall = 1 << 13;
  constexpr std::uint64_t kMost = 1 << 28;
  const std::uint64_t wanted = program.calls() * kStepsPerCall;
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(wanted, FiberRuntime::kStepsMax, kMost));
}

}  // namespace racier::repro
