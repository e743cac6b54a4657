// repro/trace_text.h - a run step by step, for reading.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/program/runner.h"
#include "core/runtime/trace.h"

namespace racier::repro {

// Remembers at which of its steps each task began each of its calls.
class CallLog final : public program::CallObserver {
 public:
  // Call before each run of `program`.
  void begin(const program::Program& program);
  void call_begins(int list, std::uint32_t call) override;

  // Returns the number of the call that the task of `list` was making at its step
  // `step`, or -1 between calls.
  std::int64_t call_at(int list, std::uint32_t step) const;

 private:
  struct Lane {  // of one task; nobody else writes to it
    std::uint32_t first_call = 0;
    std::vector<std::uint32_t> steps;
    std::size_t begun = 0;
  };
  std::vector<Lane> lanes_;
};

// Returns each call of a program as text, by number.
std::vector<std::string> call_texts(const program::Program& program);

// Returns the steps of the last run of `program`, a line each: number, task, its call,
// place, access, what it touches.  Context: the machine is as the run left it,
// `at_rest` unless that ended in a finding.
std::string trace_text(const program::Program& program, const Trace& trace,
                       const CallLog& calls, Machine& machine, bool at_rest);

}  // namespace racier::repro
