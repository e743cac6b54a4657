// fuzz/fuzzer.cc - one input: decode, run, now and then run again and compare.
// Tested by fuzzer_test.cc.
#include "fuzz/fuzzer.h"

#include <algorithm>

#include "core/base/source_name.h"
#include "core/program/bytes.h"

namespace racier::fuzz {
namespace {

std::string describe(std::span<const TraceEntry> entries, std::size_t index) {
  if (index >= entries.size()) return "nothing: the run was over";
  const TraceEntry& entry = entries[index];
  const std::source_location& where = entry.step.where;
  return "task " + std::to_string(entry.task) + " step " +
         std::to_string(entry.number) + " at " +
         std::string(base_name(where.file_name())) + ":" + std::to_string(where.line());
}

bool same_step(const TraceEntry& a, const TraceEntry& b) {
  return a.task == b.task && a.number == b.number && a.step.access == b.step.access &&
         a.step.where.line() == b.step.where.line();
}

// Says where two runs parted.
std::string describe_difference(std::span<const TraceEntry> first,
                                std::span<const TraceEntry> second) {
  const auto at = std::mismatch(first.begin(), first.end(), second.begin(),
                                second.end(), same_step);
  const auto index = static_cast<std::size_t>(at.first - first.begin());
  if (index == first.size() && index == second.size()) {
    return "the same steps, but not on the same words\n";
  }
  return "step " + std::to_string(index) +
         " of the run\n  first:  " + describe(first, index) +
         "\n  second: " + describe(second, index) + "\n";
}

std::string signature_of(const program::RunResult& result) {
  return result.finding ? result.finding->signature() : "clean";
}

}  // namespace

Fuzzer::Fuzzer(const Options& options)
    : options_(options),
      alone_({}, options.steps_max * kPatience),
      runtime_({}, options.steps_max * kPatience) {
  if (!options_.as_posted.empty()) {
    patch_ = program::find_as_posted(options_.as_posted);
    for (const Bug bug : patch_->lacks) options_.bugs.arm(bug);
  }
  run_options_.bugs = options_.bugs;
}

std::optional<Found> Fuzzer::run_bytes(std::span<const std::uint8_t> bytes) {
  return run(program::decode(bytes));
}

std::optional<Found> Fuzzer::run(program::Program program) {
  if (patch_ != nullptr) patch_->set_machine(program.machine);
  if (!options_.rmap.empty()) program.machine.rmap = options_.rmap;
  if (!options_.memory.empty()) program.machine.weak_memory = options_.memory == "weak";
  if (!options_.mmu.empty()) program.machine.host_mmu = options_.mmu == "host";
  program.schedule.plain_steps = true;  // where the build has them
  ++inputs_;
  if (options_.check_determinism != 0 && inputs_ % options_.check_determinism == 0) {
    return run_twice(program);
  }
  const program::RunResult& result = run_patiently(program, feedback_);
  if (!result.finding) return std::nullopt;
  return found(std::move(program), result);
}

std::optional<Finding> Fuzzer::replay(const program::Program& program) {
  return run_patiently(program, nullptr).finding;
}

const program::RunResult& Fuzzer::run_once(const program::Program& program,
                                           StepObserver* observer) {
  runtime_.set_schedule(program.schedule);
  runtime_.set_observer(observer);
  const program::RunResult& result = runner_.run(program, runtime_, run_options_);
  steps_ = result.steps;
  return result;
}

// A long program is no livelock: one that makes no progress has time to show it.
const program::RunResult& Fuzzer::run_patiently(const program::Program& program,
                                                StepObserver* observer) {
  runtime_.set_steps_max(options_.steps_max);
  const program::RunResult& result = run_once(program, observer);
  const auto& finding = result.finding;
  if (!finding || finding->kind != FindingKind::kNoProgress) return result;
  runtime_.set_steps_max(options_.steps_max * kPatience);
  return run_once(program, observer);
}

std::optional<Found> Fuzzer::run_twice(const program::Program& program) {
  const auto reaches_tasks = [&](const program::RunResult& result) {
    return result.phase != program::Phase::kSetup && !program.tasks.empty();
  };
  TwoObservers both(&first_, feedback_);
  const program::RunResult result = run_patiently(program, &both);
  trace_hash_ = reaches_tasks(result) ? first_.hash() : 0;
  std::optional<Found> found;
  if (result.finding) found = this->found(program, result);

  const program::RunResult& again = run_patiently(program, &second_);
  const std::uint64_t hash_again = reaches_tasks(again) ? second_.hash() : 0;
  const bool same = trace_hash_ == hash_again && result.outcomes == again.outcomes &&
                    signature_of(result) == signature_of(again);
  if (same) return found;

  Found difference{.finding = {}, .phase = again.phase, .program = program};
  difference.finding.kind = FindingKind::kReplay;
  difference.finding.title = "two runs of one program and schedule differ";
  difference.finding.detail = "first:  " + signature_of(result) +
                              "\nsecond: " + signature_of(again) + "\n" +
                              describe_difference(first_.entries(), second_.entries());
  difference.finding.where = std::source_location::current();
  difference.program.bugs = options_.bugs;
  difference.program.expectation.kind = program::Expectation::Kind::kAny;
  return difference;
}

Schedule Fuzzer::schedule_of_run(const program::Program& program,
                                 const program::RunResult& result) const {
  if (result.phase == program::Phase::kSetup || program.tasks.empty()) return {};
  return runtime_.recorded();
}

Found Fuzzer::found(program::Program program, const program::RunResult& result) const {
  Found found{.finding = *result.finding, .phase = result.phase, .program = {}};
  found.program = std::move(program);
  found.program.schedule = schedule_of_run(found.program, result);
  found.program.bugs = options_.bugs;
  found.program.expectation = {program::Expectation::Kind::kFinding, found.finding.kind,
                               found.finding.title};
  return found;
}

}  // namespace racier::fuzz
