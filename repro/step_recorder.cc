// repro/step_recorder.cc - see step_recorder.h.  Tested by explainer_test.cc.
#include "repro/step_recorder.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "repro/long_run.h"

namespace racier::repro {

using program::Phase;
using program::Program;
using program::RunOptions;
using program::RunResult;

RunOptions tasks_only() {
  RunOptions options;
  options.audit = options.teardown = false;
  return options;
}

Program set_up_of(Program program) {
  program.tasks.clear();
  program.schedule = {};
  return program;
}

StepRecorder::StepRecorder(std::uint32_t steps_max)
    : alone_({}, steps_max),
      runtime_({}, steps_max),
      runner_(alone_),
      trace_(steps_max),
      states_(steps_max) {
  runtime_.set_observer(&both_);
}

StepRecorder::StepRecorder(const Program& program, std::uint32_t steps)
    : StepRecorder(steps_max_of(program)) {
  runtime_.set_steps_max(std::min(steps, steps_max_of(program)));
  run(set_up_of(program), tasks_only());
  const Region& region = machine().region;
  const std::size_t pages = region.frames() + std::size_t{region.slab_pages()};
  states_.set_memory_size(pages * kPageSize);
}

const RunResult& StepRecorder::run(const Program& program, RunOptions options) {
  runtime_.set_schedule(program.schedule);
  auto strategy = std::make_unique<Interruptions>(make_strategy(program.schedule),
                                                  FiberRuntime::kStepsMax);
  interruptions_ = strategy.get();
  runtime_.set_strategy(std::move(strategy));
  calls_.begin(program);
  options.observer = &calls_;
  const RunResult& result = runner_.run(program, runtime_, options);
  unfinished_ = 0;
  if (result.finding && result.phase == Phase::kTasks) {
    for (int task = 0; task < runtime_.tasks(); ++task) {
      const bool left = runtime_.task(task).unwinding || task == result.finding->task;
      if (left) unfinished_ |= 1u << task;
    }
  }
  if (options.teardown) return result;  // what steps touched is gone
  states_.finish();
  for (int task = 0; task < runtime_.tasks(); ++task) {
    if (came_to_its_end(task)) states_.finish(runtime_.task(task));
  }
  return result;
}

bool StepRecorder::came_to_its_end(int task) const {
  return (unfinished_ >> task & 1) == 0;
}

const WantedLock* StepRecorder::wanted_in_the_end(int task) {
  return came_to_its_end(task) ? nullptr : &runtime_.task(task).wanted;
}

}  // namespace racier::repro
