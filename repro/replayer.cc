// repro/replayer.cc - replays programs.  Tested by cli_test.sh and replayer_test.cc.
#include "repro/replayer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/source_name.h"
#include "core/runtime/describe.h"
#include "repro/long_run.h"
#include "repro/schedule_of_run.h"

namespace racier::repro {
namespace {

// A sanitizer's report has its place in its words.
std::string place_in_source(const Finding& finding) {
  if (finding.where.line() != 0) return describe_place(finding.where);
  const FrameName frame = first_frame(finding.detail);
  return fmt::format("{} ({})", frame.function, frame.place);
}

std::string signature(const Replay& replay) {
  return replay.finding ? replay.finding->signature() : "clean";
}

}  // namespace

Replayer::Replayer(const program::Program& program)
    : program_(program),
      alone_({}, steps_max_of(program)),
      runtime_(program.schedule, steps_max_of(program)),
      runner_(alone_),
      trace_(steps_max_of(program)) {
  runtime_.set_observer(&trace_);
}

const program::RunResult& Replayer::run_with(program::RunOptions options) {
  calls_.begin(program_);
  options.observer = &calls_;
  options.fail_alloc = fail_;
  return runner_.run(program_, runtime_, options);
}

Replay Replayer::run_once() {
  const program::RunResult& result = run_with({});
  Replay replay;
  replay.finding = result.finding;
  replay.phase = result.phase;
  replay.problems = program::judge(program_, result).problems;
  replay.steps = result.steps;
  replay.trace_hash = trace_.hash();
  replay.schedule = schedule_of_run(result, runtime_);
  replay.missed = runtime_.strategy().missed();
  replay.runs = 1;
  if (program_.schedule.strategy == StrategyKind::kReplay &&
      program_.schedule.plain_steps && !replay.schedule.plain_steps) {
    replay.problems.push_back(
        "its schedule counts plain accesses, which are no steps in this build "
        "(./racier repro --preset plain)");
  }
  return replay;
}

Replay Replayer::run(int times) {
  Replay first = run_once();
  for (; first.runs < times; ++first.runs) {
    const Replay again = run_once();
    if (again.trace_hash == first.trace_hash && signature(again) == signature(first)) {
      continue;
    }
    Finding finding;
    finding.kind = FindingKind::kReplay;
    finding.title = "two runs of one schedule differ";
    finding.detail = fmt::format(
        "run {}: {}, {} steps, trace {:016x}\nrun {}: {}, {} steps, trace {:016x}", 1,
        signature(first), first.steps, first.trace_hash, first.runs + 1,
        signature(again), again.steps, again.trace_hash);
    first.problems.push_back(finding.title);
    first.finding = std::move(finding);
    break;
  }
  return first;
}

// Without teardown: what processes have is still there to be named.
std::string Replayer::trace_text() {
  program::RunOptions options;
  options.audit = options.teardown = false;
  const bool at_rest = !run_with(options).finding;
  return repro::trace_text(program_, trace_, calls_, *runner_.machine(), at_rest);
}

program::Program kept(const program::Program& program, const Replay& replay) {
  program::Program copy = program;
  copy.schedule = replay.schedule;
  copy.expectation = {program::Expectation::Kind::kFinding, replay.finding->kind,
                      replay.finding->title};
  return copy;
}

std::string place_of(const program::Program& program, const Replay& replay) {
  const Finding& finding = *replay.finding;
  const std::string place = place_in_source(finding);
  if (replay.phase != program::Phase::kTasks) {
    return place + fmt::format(", in the {}", program::phase_name(replay.phase));
  }
  if (finding.task < 0) return place;
  const int tasks = static_cast<int>(program.tasks.size());
  return place + fmt::format(", task {}, step {} of it",
                             program::task_name(finding.task, tasks), finding.step);
}

}  // namespace racier::repro
