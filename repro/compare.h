// repro/compare.h - runs an imported program and compares it with its recording.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/finding.h"
#include "repro/translate.h"

namespace racier::repro {

struct Comparison {
  std::optional<Finding> finding;
  int faults = 0;        // recorded ones that were played
  int faults_equal = 0;  // of them, those that racier took likewise of its own accord
  int faults_named = 0;  // those that it took as a named difference foresees
  int calls = 0;         // calls of memory and of processes that were compared
  int calls_equal = 0;   // behind them, every vma was as recorded
  int vmas = 0;          // how many vmas were compared in all
  int audits = 0;        // before the one at the end
  std::uint64_t steps = 0;
  std::vector<std::string> unexplained;  // "LINE: sentence"
};

// Runs `translation` with all audits: between calls whenever a process has ended, and
// at the end.  Compares every access with the fault that was recorded, and behind every
// call the vmas of its process with those of the kernel.
Comparison compare(const Translation& translation);

}  // namespace racier::repro
