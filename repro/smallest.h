// repro/smallest.h - what is found, as small as it can be made in some time.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/program/program.h"
#include "repro/minimizer.h"

namespace racier::repro {

// The sizes of the smallest program.
struct Smallest {
  std::uint64_t tasks = 0;
  std::uint64_t calls = 0;
  std::uint64_t switches = 0;
  std::uint64_t preemptions = 0;  // of them, of a task that could have gone on
  bool operator==(const Smallest&) const = default;
};

struct SmallestProgram {
  Smallest sizes;
  std::string text;
};

// Makes `found`, whose schedule shows a finding of that signature, smaller for `time`,
// with `ordered` schedules in order (minimizer.h); in a child, as a candidate may end
// the process.  Returns nothing if it could not.
std::optional<SmallestProgram> smallest_of(const program::Program& found,
                                           const std::string& signature,
                                           std::chrono::duration<double> time,
                                           std::uint64_t ordered = Minimizer::kOrdered);

}  // namespace racier::repro
