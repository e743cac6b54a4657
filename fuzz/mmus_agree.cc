// fuzz/mmus_agree.cc - one input on both MMUs.  Tested by mmus_agree_test.cc.
#include "fuzz/mmus_agree.h"

#include "core/base/random.h"
#include "core/objects/machine.h"
#include "core/program/agree.h"
#include "core/program/bytes.h"

namespace racier::fuzz {
MmusAgree::MmusAgree(const Options& options)
    : options_(options), alone_({}, options.steps_max), tasks_({}, options.steps_max) {
  run_options_.bugs = options.bugs;
  run_options_.teardown = false;
  tasks_.set_observer(&trace_);
}

std::optional<Found> MmusAgree::run_bytes(std::span<const std::uint8_t> bytes) {
  return run(program::decode(bytes));
}

MmusAgree::Shown MmusAgree::show(program::Program& program, bool host_mmu) {
  program.machine.host_mmu = host_mmu;
  tasks_.set_schedule(program.schedule);
  const program::RunResult& result = runner_.run(program, tasks_, run_options_);
  steps_ += result.steps;
  Shown shown{.finding = result.finding,
              .phase = result.phase,
              .steps = result.steps,
              .outcomes = result.outcomes,
              .frames = {}};
  if (result.phase != program::Phase::kSetup && !program.tasks.empty()) {
    shown.trace = trace_.hash();
  }
  if (!result.finding) {
    const FrameArena& frames = runner_.machine()->frames;
    frames.for_each_allocated([&](Pfn pfn) {
      shown.frames.push_back(Random::mixed(program::hash_of_frame(frames.data(pfn))) +
                             pfn);
    });
  }
  return shown;
}

std::string MmusAgree::difference(const Shown& soft, const Shown& host) {
  const auto end = [](const Shown& shown) {
    return shown.finding ? shown.finding->signature() : "clean";
  };
  if (end(soft) != end(host)) return end(soft) + " / " + end(host);
  if (soft.outcomes != host.outcomes) return "the outcomes of calls differ";
  if (soft.steps != host.steps) {
    return std::to_string(soft.steps) + " / " + std::to_string(host.steps) + " steps";
  }
  if (soft.trace != host.trace) return "the steps differ";
  return soft.frames == host.frames ? "" : "the bytes of memory differ";
}

std::optional<Found> MmusAgree::run(program::Program program) {
  steps_ = 0;
  if (!options_.rmap.empty()) program.machine.rmap = options_.rmap;
  if (!options_.memory.empty()) program.machine.weak_memory = options_.memory == "weak";
  const Shown soft = show(program, false);
  const Shown host = show(program, true);
  const std::string text = difference(soft, host);
  program.bugs = options_.bugs;
  if (!text.empty()) {
    Finding finding;
    finding.kind = FindingKind::kTlb;
    finding.title = "two MMUs disagree";
    finding.detail = "soft / host: " + text;
    finding.where = std::source_location::current();
    return Found{.finding = std::move(finding),
                 .phase = program::Phase::kTasks,
                 .program = std::move(program),
                 .replay = "racier fuzz --target mmus_agree CRASH-FILE"};
  }
  ++compared_;
  steps_compared_ += soft.steps;
  if (!soft.finding) return std::nullopt;
  program.machine.host_mmu = false;
  program.expectation = {program::Expectation::Kind::kFinding, soft.finding->kind,
                         soft.finding->title};
  return Found{
      .finding = *soft.finding, .phase = soft.phase, .program = std::move(program)};
}

std::optional<Finding> MmusAgree::replay(const program::Program& program) {
  auto found = run(program);
  if (!found) return std::nullopt;
  return std::move(found->finding);
}

std::string MmusAgree::summary() const {
  return "mmus_agree: compared " + std::to_string(compared_) + " programs of " +
         std::to_string(steps_compared_) + " steps\n";
}

}  // namespace racier::fuzz
