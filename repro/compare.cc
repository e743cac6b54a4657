// repro/compare.cc - compares a run with its recording, call by call.
// Tested by compare_test.cc.
#include "repro/compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/program/ops.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "repro/long_run.h"

namespace racier::repro {
namespace {

// Compares while the program runs.
class Comparer final : public program::CallObserver {
 public:
  Comparer(const Translation& translation, program::Runner& runner)
      : translation_(translation), runner_(runner), exit_(*program::find_op("exit")) {}

  void call_ends(int list, std::uint32_t call) override;
  Comparison take() { return std::move(comparison_); }

 private:
  void check_fault(const FaultCheck& check);
  void check_vmas(const VmaCheck& check);
  std::vector<Area> areas_of(const Mm& mm) const;
  void unexplained(int line, const std::string& sentence) {
    comparison_.unexplained.push_back(fmt::format("{}: {}", line, sentence));
  }

  const Translation& translation_;
  program::Runner& runner_;
  const std::uint16_t exit_;
  std::size_t next_fault_ = 0;
  std::size_t next_vmas_ = 0;
  Comparison comparison_;
};

void Comparer::call_ends(int list, std::uint32_t number) {
  const program::Call& call = translation_.program.list(list)[number];
  const auto& faults = translation_.faults;
  const auto& vmas = translation_.vmas;
  if (next_fault_ < faults.size() && faults[next_fault_].call == number) {
    check_fault(faults[next_fault_++]);
  } else if (!call.expected->met_by(runner_.outcome(number))) {
    unexplained(translation_.lines[number],
                fmt::format("{} gave {}", program::op_of(call).name,
                            runner_.outcome(number).str()));
  }
  while (next_vmas_ < vmas.size() && vmas[next_vmas_].call == number) {
    check_vmas(vmas[next_vmas_++]);
  }
  if (call.op == exit_) {
    ++comparison_.audits;
    runner_.audit_now();
  }
}

void Comparer::check_fault(const FaultCheck& check) {
  ++comparison_.faults;
  const program::Call& call = translation_.program.list(1)[check.call];
  const program::Outcome& outcome =
      runner_.outcome(static_cast<std::uint32_t>(check.call));
  if (call.expected->met_by(outcome)) {
    ++(check.difference ? comparison_.faults_named : comparison_.faults_equal);
    return;
  }
  unexplained(check.line, fmt::format("recorded fault {:#x}, expected {}, {} gave {}",
                                      check.error_code, call.expected->str(),
                                      program::op_of(call).name, outcome.str()));
}

std::vector<Area> Comparer::areas_of(const Mm& mm) const {
  std::vector<Area> areas;
  for (Vma* vma = mm.vmas.first(); vma != nullptr; vma = VmaTree::next(*vma)) {
    Area area{.range = vma->range(),
              .access = vma->vm_flags & kVmAccess,
              .shared = vma->is(kVmShared)};
    if (vma->vm_file != nullptr) {
      area.pgoff = vma->vm_pgoff;
      if (!vma->vm_file->shmem) {
        area.file = translation_.files[static_cast<std::size_t>(vma->vm_file->id)];
      }
    }
    append_merged(areas, area);
  }
  return areas;
}

void Comparer::check_vmas(const VmaCheck& check) {
  const Mm* const mm = runner_.process(check.process);
  ++comparison_.calls;
  comparison_.vmas += static_cast<int>(check.areas.size());
  const std::vector<Area> areas = mm == nullptr ? std::vector<Area>() : areas_of(*mm);
  if (areas == check.areas) {
    ++comparison_.calls_equal;
    return;
  }
  const auto [ours, theirs] =
      std::mismatch(areas.begin(), areas.end(), check.areas.begin(), check.areas.end());
  unexplained(check.line,
              fmt::format("recorded vma {}, ours {}",
                          theirs == check.areas.end() ? "none" : theirs->str(),
                          ours == areas.end() ? "none" : ours->str()));
}

}  // namespace

Comparison compare(const Translation& translation) {
  const std::uint32_t steps_max = steps_max_of(translation.program);
  FiberRuntime alone({}, steps_max);
  FiberRuntime runtime(translation.program.schedule, steps_max);
  program::Runner runner(alone);
  Comparer comparer(translation, runner);
  program::RunOptions options;
  options.observer = &comparer;
  const program::RunResult& result = runner.run(translation.program, runtime, options);
  Comparison comparison = comparer.take();
  comparison.finding = result.finding;
  comparison.steps = result.steps;
  return comparison;
}

}  // namespace racier::repro
