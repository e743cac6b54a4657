// core/program/runner.cc - runs programs.  Tested by runner_test.cc and corpus_test.cc.
#include "core/program/runner.h"

#include <algorithm>

#include "core/base/require.h"
#include "core/mm/boot.h"
#include "core/mm/fork.h"
#include "core/program/ops.h"
#include "core/rmap/scheme.h"

namespace racier::program {
namespace {

// The run that this OS thread works for, for a scope.
class CurrentRun {
 public:
  explicit CurrentRun(RunState& run) : before_(set_current_run(&run)) {}
  ~CurrentRun() { set_current_run(before_); }
  CurrentRun(const CurrentRun&) = delete;
  CurrentRun& operator=(const CurrentRun&) = delete;

 private:
  RunState* before_;
};

// Whatever is done while it lives is done outside of any task.
class NoTask {
 public:
  NoTask() : task_(current()) { set_current(nullptr); }
  ~NoTask() { set_current(task_); }
  NoTask(const NoTask&) = delete;
  NoTask& operator=(const NoTask&) = delete;

 private:
  Task* task_;
};

Tracepoints nobody;

}  // namespace

struct Runner::Station {
  explicit Station(const MachineOptions& options)
      : machine(make_machine(options)), auditor(*machine) {}

  std::unique_ptr<Machine> machine;
  check::Watcher watcher;
  check::Auditor auditor;
};

const char* phase_name(Phase phase) {
  switch (phase) {
    case Phase::kSetup:
      return "setup";
    case Phase::kTasks:
      return "tasks";
    case Phase::kAudit:
      return "audit";
    case Phase::kTeardown:
      return "teardown";
    case Phase::kLeakAudit:
      return "leak audit";
  }
  return "?";
}

Runner::Runner(Runtime& alone) : alone_(alone) {}
Runner::~Runner() = default;

Machine* Runner::machine() const {
  return station_ == nullptr ? nullptr : station_->machine.get();
}

// A machine that is at rest can be given other knobs.
Runner::Station& Runner::station_for(const MachineOptions& options) {
  const auto found =
      std::find_if(stations_.begin(), stations_.end(), [&](const auto& known) {
        return known->machine->options().without_knobs() == options.without_knobs();
      });
  if (found != stations_.end()) {
    std::rotate(stations_.begin(), found, found + 1);
    stations_.front()->machine->set_knobs(rmap::claimed(options));
  } else {
    if (stations_.size() == kStationsMax) stations_.pop_back();
    stations_.insert(stations_.begin(), std::make_unique<Station>(options));
  }
  return *stations_.front();
}

const RunResult& Runner::run(const Program& program, Runtime& runtime,
                             const RunOptions& options) {
  begin(program, options);
  const CurrentRun current_run(state_);
  try {
    run_phases(program, runtime, options);
  } catch (const RunOver&) {
    // Reported outside of any task: by an audit, or a callback at rest.
  }
  finish();
  return result_;
}

void Runner::begin(const Program& program, const RunOptions& options) {
  station_ = &station_for(program.machine);
  options_ = options;
  state_.reset();
  state_.bugs = {};
  for (const bug::Row& row : bug::rows()) {
    const bool wanted = program.bugs.has(row.bug) || options.bugs.has(row.bug);
    if (wanted && !options.disarmed.has(row.bug)) state_.bugs.arm(row.bug);
  }
  begin_failures(program.machine);
  begin_sites(program);
  station_->watcher.reset();
  station_->machine->tracepoints = &nobody;
  result_.finding.reset();
  result_.steps = 0;
  number_lists(program);
  result_.outcomes.assign(program.calls(), Outcome());
  variables_.reset(scope_of(program));
}

void Runner::begin_failures(const MachineOptions& machine) {
  const bool wanted = machine.chosen_failures || options_.fail_alloc;
  failures_.begin(options_.fail_alloc.value_or(FailAlloc{}), machine.chosen_failures);
  state_.alloc_failures = wanted ? &failures_ : nullptr;
}

void Runner::begin_sites(const Program& program) {
  left_out_.reset();
  state_.sites = options_.sites;
  if (state_.sites != nullptr || program.drops.empty() || !options_.drops) return;
  state_.sites = &left_out_.emplace(program.drops);
}

void Runner::number_lists(const Program& program) {
  starts_.clear();
  Start start;
  for (int list = 0; list < program.lists(); ++list) {
    starts_.push_back(start);
    for (const Call& call : program.list(list)) {
      ++start.call;
      if (const auto kind = op_of(call).defines) ++start.defined.of(*kind);
    }
  }
}

void Runner::run_phases(const Program& program, Runtime& runtime,
                        const RunOptions& options) {
  Machine& m = *station_->machine;
  result_.phase = Phase::kSetup;
  boot(m, state_);
  m.tasks = variables_.tasks();
  if (options.watch) m.tracepoints = &station_->watcher;
  run_setup(program);
  if (over()) return;
  result_.phase = Phase::kTasks;
  run_tasks(program, runtime);
  if (over()) return;
  m.rcu.barrier_at_rest();
  if (options.audit) {
    result_.phase = Phase::kAudit;
    audit();
  }
  if (!options.teardown) return;
  result_.phase = Phase::kTeardown;
  tear_down();
  if (over() || !options.audit) return;
  result_.phase = Phase::kLeakAudit;
  station_->auditor.audit_leaks();
}

void Runner::run_setup(const Program& program) {
  if (program.setup.empty()) return;
  const auto body = [&] { run_calls(program, 0); };
  const FunctionRef<void()> bodies[] = {body};
  variables_.lists_begin(1);
  alone_.run(state_, bodies);
  if (!over()) station_->machine->rcu.barrier_at_rest();
}

void Runner::run_tasks(const Program& program, Runtime& runtime) {
  if (program.tasks.empty()) return;
  Rcu& rcu = station_->machine->rcu;
  Atomic<int> unfinished(static_cast<int>(program.tasks.size()));
  variables_.lists_begin(static_cast<int>(program.tasks.size()));
  const auto task = [&] {
    const int cpu = run_calls(program, current()->id + 1);
    variables_.list_ends(*station_->machine, cpu);
    note_side_effects();
    if (unfinished.raw().fetch_sub(1, std::memory_order_relaxed) == 1) rcu.stop();
  };
  const auto callbacks = [&] { rcu.callback_loop(); };
  std::array<FunctionRef<void()>, kProgramTasksMax + 1> bodies{
      task, task, task, task, task, task, task, task, task};
  bodies[program.tasks.size()] = callbacks;
  state_.weak_memory = program.machine.weak_memory;
  runtime.run(state_, std::span(bodies).first(program.tasks.size() + 1));
  state_.weak_memory = false;
  for (int i = 0; i < runtime.tasks(); ++i) result_.steps += runtime.task(i).steps;
}

int Runner::run_calls(const Program& program, int list) {
  Task& self = *current();
  Run run(*station_->machine, variables_, self.id);
  Start at = starts_[static_cast<std::size_t>(list)];
  CallObserver* const observer = options_.observer;
  for (const Call& call : program.list(list)) {
    const Op& op = op_of(call);
    const std::uint32_t result = op.defines ? at.defined.of(*op.defines)++ : 0;
    run.begin_call(at.call);
    if (observer != nullptr) observer->call_begins(list, at.call);
    failures_.begin_call(self.id, at.call);
    self.fail_nth = call.fail_nth;
    result_.outcomes[at.call] = op.run(run, call, result);
    self.fail_nth = 0;
    if (self.sites != nullptr) self.sites->call_ends(self);
    if (observer != nullptr) observer->call_ends(list, at.call);
    ++at.call;
  }
  failures_.begin_call(self.id, AllocFailures::kNoCall);
  return run.cpu();
}

void Runner::audit_now() {
  weak_barrier();  // the audit looks at memory
  const NoTask no_task;
  station_->machine->rcu.barrier_at_rest();
  audit();
}

void Runner::audit() {
  check::count_users(*station_->machine, users_);
  check::Expected expected;
  expected.users_known = true;
  expected.users = users_;
  pins_.clear();
  const std::uint32_t pins = variables_.scope().of(Variable::kPin);
  for (std::uint32_t i = 0; i < pins; ++i) {
    if (Page* const page = variables_.peek_pin(i)) pins_.push_back(page);
  }
  expected.pins = pins_;
  station_->auditor.audit(options_.watch ? &station_->watcher : nullptr, expected);
}

void Runner::tear_down() {
  Machine& m = *station_->machine;
  const auto body = [&] {
    const std::uint32_t pins = variables_.scope().of(Variable::kPin);
    for (std::uint32_t i = 0; i < pins; ++i) {
      const PinnedPage pinned = variables_.take_pin(i);
      if (pinned.page != nullptr) put_user_page(m, pinned);
    }
    for (TaskStruct& task : variables_.tasks()) {
      if (!task.is(TaskFlag::kKthread)) {
        exit_mm(m, task);
      } else if (!task.is(TaskFlag::kExiting)) {
        require(end_kthread(m, task) == Status::kOk, "nobody runs");
      }
    }
    // Their mms have ended before them.
    for (std::uint32_t i = 0; i < variables_.scope().of(Variable::kSecondary); ++i) {
      SecondaryMmu* const mmu = variables_.take_secondary(i);
      if (mmu == nullptr) continue;
      secondary_mmu_unregister(m, *mmu);
      secondary_mmu_put(m, *mmu);
    }
  };
  const FunctionRef<void()> bodies[] = {body};
  alone_.run(state_, bodies);
  if (over()) return;
  m.rcu.barrier_at_rest();
  shut_down(m);
}

void Runner::finish() {
  result_.finding = state_.finding();
  result_.allocations = failures_.asked();
  result_.failed = failures_.struck();
  result_.skipped = 0;
  for (const Outcome& outcome : result_.outcomes) {
    if (outcome.kind == Outcome::Kind::kSkipped) ++result_.skipped;
  }
  for (std::size_t i = 0; i < kMarks; ++i) {
    result_.marks[i] = state_.marks[i].load(std::memory_order_relaxed);
  }
  station_->machine->tracepoints = &nobody;
}

}  // namespace racier::program
