// repro/explainer.cc - runs a program a few times, and makes words of what was
// recorded.
//
// The first run says what is found.  The second, by the schedule that was decided,
// stops behind the tasks: what they have is still there to be named.  One of the set-up
// alone tells what words were before the tasks changed them; one without the armed
// bugs, where they make a difference.  Tested by explainer_test.cc.
#include "repro/explainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/base/source_name.h"
#include "core/runtime/fiber_runtime.h"
#include "core/runtime/plain_steps.h"
#include "core/runtime/step_states.h"
#include "core/runtime/trace.h"
#include "repro/clash.h"
#include "repro/long_run.h"
#include "repro/place_names.h"
#include "repro/replayer.h"
#include "repro/step_words.h"
#include "repro/trace_text.h"

namespace racier::repro {
namespace {

using program::Phase;
using program::Program;
using program::RunOptions;
using program::RunResult;

RunOptions tasks_only() {
  RunOptions options;
  options.audit = options.teardown = false;
  return options;
}

// Returns it without its tasks.
Program set_up_of(Program program) {
  program.tasks.clear();
  program.schedule = {};
  return program;
}

// Returns it with its set-up as its only task: only tasks make steps.
Program set_up_as_task(const Program& program) {
  Program task = set_up_of(program);
  task.tasks.push_back(std::exchange(task.setup, {}));
  return task;
}

bool has_tasks(const Program& program) {
  return std::any_of(program.tasks.begin(), program.tasks.end(),
                     [](const program::Calls& calls) { return !calls.empty(); });
}

// Runs programs and records their steps.
class Recorder {
 public:
  // For `program`, with and without its tasks, which make at most `steps` steps.
  Recorder(const Program& program, std::uint32_t steps)
      : Recorder(steps_max_of(program)) {
    runtime_.set_steps_max(std::min(steps, steps_max_of(program)));
    run(set_up_of(program), tasks_only());
    const Region& region = machine().region;
    const std::size_t pages = region.frames() + std::size_t{region.slab_pages()};
    states_.set_memory_size(pages * kPageSize);
  }

  const RunResult& run(const Program& program, RunOptions options) {
    runtime_.set_schedule(program.schedule);
    calls_.begin(program);
    options.observer = &calls_;
    const RunResult& result = runner_.run(program, runtime_, options);
    if (options.teardown) return result;  // what steps touched is gone
    states_.finish();
    for (int id = 0; id < runtime_.tasks(); ++id) {
      if (came_to_its_end(id, result)) states_.finish(runtime_.task(id));
    }
    return result;
  }

  // Returns whether a task's body returned.
  bool came_to_its_end(int id, const RunResult& result) {
    if (!result.finding || result.phase != Phase::kTasks) return true;
    return id != result.finding->task && !runtime_.task(id).unwinding;
  }

  FiberRuntime& runtime() { return runtime_; }
  Machine& machine() { return *runner_.machine(); }
  const Trace& trace() const { return trace_; }
  StepStates& states() { return states_; }
  const CallLog& calls() const { return calls_; }

 private:
  explicit Recorder(std::uint32_t steps_max)
      : alone_({}, steps_max),
        runtime_({}, steps_max),
        runner_(alone_),
        trace_(steps_max),
        states_(steps_max) {
    runtime_.set_observer(&both_);
  }

  FiberRuntime alone_;
  FiberRuntime runtime_;
  program::Runner runner_;
  Trace trace_;
  StepStates states_;
  TwoObservers both_{&trace_, &states_};
  CallLog calls_;
};

// ---- The model ----------------------------------------------------------------------

// Makes the steps of an explanation of what was recorded last.
class StepMaker {
 public:
  StepMaker(Recorder& recorder, const RunResult& result, StepWords& words,
            Explanation& explanation)
      : recorder_(recorder), result_(result), words_(words), to_(explanation) {}

  void make(std::size_t count) {
    entries_ = recorder_.trace().entries().first(count);
    find_next();
    for (std::size_t i = 0; i < count; ++i) add(i);
    note_locks();
    note_waits();
    note_rcu();
    note_turns();
    note_origins();
    for (std::size_t i = 0; i < count; ++i) say(i);
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  const StepState& state(std::size_t i) const { return recorder_.states().states()[i]; }

  // The step behind each one of the same task.
  void find_next() {
    next_.assign(entries_.size(), kNone);
    std::array<std::size_t, kTasksMax> last;
    last.fill(kNone);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      std::size_t& before = last[entries_[i].task];
      if (before != kNone) next_[before] = i;
      before = i;
    }
  }

  void add(std::size_t i) {
    const TraceEntry& entry = entries_[i];
    ExplainedStep step;
    step.task = entry.task;
    step.number = entry.number;
    step.call =
        static_cast<int>(recorder_.calls().call_at(entry.task + 1, entry.number));
    step.access = entry.step.access;
    step.object = words_.object(entry.step.address);
    step.counts = is_count(step.object);
    // A word without a name may stand for something else: its value means nothing.
    const bool means = !step.object.starts_with("word ");
    const StepState& around = state(i);
    const int size = entry.step.size;
    if (means && around.has_before) {
      step.before = words_.value(step.object, around.before, size);
    }
    if (means && around.has_after) {
      step.after = words_.value(step.object, around.after, size);
    }
    add_place(entry.step, step);
    to_.steps.push_back(std::move(step));
  }

  static void add_place(const Step& from, ExplainedStep& step) {
    const auto& where = from.where;
    if (from.pc != nullptr) {
      const std::string text = describe_pc(from.pc);
      const std::size_t space = text.find(' ');
      step.place = text.substr(0, space);
      step.function = space == text.npos ? "" : text.substr(space + 1);
    } else if (where.line() != 0) {
      step.function = bare_function_name(where.function_name());
      step.place = fmt::format("{}:{}", base_name(where.file_name()), where.line());
    }
  }

  std::string name_of(const HeldLock& held) {
    return words_.lock(held.lock, *held.lock_class) +
           (held.hold == Hold::kShared ? " (shared)" : "");
  }

  // Who takes and lets go of what, and so holds what.
  void note_locks() {
    for (const LockChange& change : recorder_.states().changes()) {
      if (change.step >= entries_.size()) continue;
      ExplainedStep& step = to_.steps[change.step];
      (change.taken ? step.taken : step.released).push_back(name_of(change.lock));
      const void* const word = entries_[change.step].step.address;
      const bool waited = state(change.step).wanted.lock == change.lock.lock;
      if (word == change.lock.lock || waited) own_[change.step] = true;
    }
    std::array<std::vector<std::string>, kTasksMax> holds;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto& held = holds[entries_[i].task];
      for (const std::string& lock : to_.steps[i].released) {
        const auto found = std::find(held.begin(), held.end(), lock);
        if (found != held.end()) held.erase(found);
      }
      for (const std::string& lock : to_.steps[i].taken) held.push_back(lock);
      to_.steps[i].holds = held;
    }
  }

  // The lock that the task wants behind a step, if it has to wait for it.
  const WantedLock* wanted_behind(std::size_t i) {
    if (next_[i] != kNone) return &state(next_[i]).wanted;
    const int task = entries_[i].task;
    if (recorder_.came_to_its_end(task, result_)) return nullptr;
    return &recorder_.runtime().task(task).wanted;
  }

  void note_waits() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const WantedLock* const wanted = wanted_behind(i);
      ExplainedStep& step = to_.steps[i];
      if (wanted == nullptr || wanted->lock == nullptr) continue;
      const bool tried = tries(i, wanted->lock) || state(i).wanted.lock == wanted->lock;
      if (tried) {
        step.waits_for = words_.lock(wanted->lock, *wanted->lock_class);
      }
    }
  }

  // Returns whether step `i` wanted `lock`; and is not another access to the word of a
  // lock in a bit, which the next step wants.
  bool tries(std::size_t i, const void* lock) const {
    const auto takes = [&](std::size_t step) {
      return entries_[step].step.address == lock &&
             entries_[step].step.access == Access::kRmw;
    };
    return takes(i) && (next_[i] == kNone || !takes(next_[i]));
  }

  void note_rcu() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      to_.steps[i].in_rcu = next_[i] != kNone && state(next_[i]).rcu_nesting > 0;
    }
  }

  // Returns whether its task could not go on before this step.
  bool is_a_wait(std::size_t i) const {
    const TraceEntry& entry = entries_[i];
    if (entry.step.access == Access::kNone) return entry.number > 0;
    return entry.step.access == Access::kRead &&
           entry.step.order == std::memory_order_relaxed && repeats(i);
  }
  // ... because it looks at the word of the one before again.
  bool repeats(std::size_t i) const {
    for (std::size_t j = i; j-- > 0;) {
      if (entries_[j].task != entries_[i].task) continue;
      return entries_[j].step.address == entries_[i].step.address &&
             entries_[j].step.where.line() == entries_[i].step.where.line();
    }
    return false;
  }

  bool could_go_on(std::size_t i) {
    if (next_[i] != kNone) return !is_a_wait(next_[i]);
    return !recorder_.came_to_its_end(entries_[i].task, result_) &&
           to_.steps[i].waits_for.empty();
  }

  void note_turns() {
    for (std::size_t i = 1; i < entries_.size(); ++i) {
      if (entries_[i].task == entries_[i - 1].task) continue;
      to_.steps[i].turn = could_go_on(i - 1) ? Turn::kPreempts : Turn::kSwitch;
    }
  }

  // Whose store each step sees.
  void note_origins() {
    std::map<const void*, std::size_t> writers;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const Step& step = entries_[i].step;
      if (step.address == nullptr) continue;
      const auto last = writers.find(step.address);
      if (last != writers.end() && step.access != Access::kWrite &&
          entries_[last->second].task != entries_[i].task) {
        to_.steps[i].from = static_cast<int>(last->second);
      }
      const bool changes = step.access == Access::kWrite ||
                           to_.steps[i].before.empty() ||
                           to_.steps[i].before != to_.steps[i].after;
      if (step.access != Access::kRead && changes) writers[step.address] = i;
    }
  }

  void say(std::size_t i) {
    ExplainedStep& step = to_.steps[i];
    if (step.place.empty()) {
      step.what = "starts";
      return;
    }
    step.what = what_of(i);
    const int before = state(i).rcu_nesting;
    const int behind = next_[i] == kNone ? before : state(next_[i]).rcu_nesting;
    if (before == 0 && behind > 0) step.what += "; enters an RCU read section";
    if (before > 0 && behind == 0) step.what += "; leaves its RCU read section";
  }

  std::string what_of(std::size_t i) const {
    const ExplainedStep& step = to_.steps[i];
    const std::string locks = locks_text(step);
    if (own_.contains(i)) return locks;
    if (!step.waits_for.empty()) {
      const bool waits =
          next_[i] != kNone || to_.finding.kind == FindingKind::kDeadlock;
      return (waits ? "waits for " : "is about to lock ") + step.waits_for;
    }
    if (step.access == Access::kNone) return "sleeps";
    std::string text =
        StepWords::of_access(step.access, step.object, step.before, step.after);
    if (!locks.empty()) text += "; " + locks;
    return text;
  }

  static std::string locks_text(const ExplainedStep& step) {
    std::string text;
    const auto add = [&text](const char* verb, const std::vector<std::string>& locks) {
      for (const std::string& lock : locks) {
        text += (text.empty() ? "" : ", ") + std::string(verb) + " " + lock;
      }
    };
    add("unlocks", step.released);
    add("locks", step.taken);
    return text;
  }

  Recorder& recorder_;
  const RunResult& result_;
  StepWords& words_;
  Explanation& to_;
  std::span<const TraceEntry> entries_;
  std::vector<std::size_t> next_;
  std::map<std::size_t, bool> own_;  // steps that are those of the lock that changed
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Returns "task A" where a runtime says "task 0".
std::string with_task_names(std::string line, const std::vector<std::string>& tasks) {
  for (std::size_t task = tasks.size(); task-- > 0;) {
    const std::string number = fmt::format("task {}", task);
    for (std::size_t at = 0; (at = line.find(number, at)) != line.npos;) {
      const std::size_t end = at + number.size();
      const bool longer = end < line.size() && line[end] >= '0' && line[end] <= '9';
      if (!longer) line.replace(at, number.size(), "task " + tasks[task]);
      at += number.size();
    }
  }
  return line;
}

void add_program(const Program& program, Explanation& to) {
  for (const bug::Row& row : bug::rows()) {
    if (!program.bugs.has(row.bug)) continue;
    to.rows.push_back({row.id, row.name, row.sentence, row.origin});
  }
  const std::vector<std::string> texts = call_texts(program);
  std::size_t number = 0;
  for (int list = 0; list < program.lists(); ++list) {
    for (std::size_t i = 0; i < program.list(list).size(); ++i) {
      to.calls.push_back({list, texts[number++]});
    }
  }
  const int tasks = static_cast<int>(program.tasks.size());
  for (int task = 0; task <= tasks; ++task) {
    to.tasks.push_back(program::task_name(task, tasks));
  }
}

// The finding as the last row.
void add_finding(Explanation& to) {
  ExplainedStep step;
  step.finding = step.clashes = true;
  step.task = to.phase == Phase::kTasks ? to.finding.task : -1;
  step.number = to.finding.step;
  if (to.finding.where.line() != 0) {
    const auto& where = to.finding.where;
    step.function = bare_function_name(where.function_name());
    step.place = fmt::format("{}:{}", base_name(where.file_name()), where.line());
  } else {
    const FrameName frame = first_frame(to.finding.detail);
    const bool known = frame.place != FrameName().place;
    if (known) step.function = frame.function;
    if (known) step.place = frame.place;
  }
  const bool of_nobody = step.task < 0 && to.phase == Phase::kTasks &&
                         to.finding.kind != FindingKind::kDeadlock;
  if (of_nobody && !to.steps.empty()) {  // in a destructor, which does not throw
    step.task = to.steps.back().task;
    step.function = to.steps.back().function;
    step.place = to.steps.back().place;
  }
  step.what = to.finding.title;
  for (auto last = to.steps.rbegin(); last != to.steps.rend(); ++last) {
    if (last->task != step.task) continue;
    step.call = last->call;
    step.holds = last->holds;
    step.in_rcu = last->in_rcu;
    break;
  }
  if (!to.steps.empty() && step.task >= 0 && to.steps.back().task != step.task) {
    step.turn = Turn::kSwitch;  // an exception of a run that is over went there
  }
  to.steps.push_back(std::move(step));
}

// Returns whether two steps are the same in two runs.
bool alike(const TraceEntry& one, const TraceEntry& other) {
  return one.task == other.task && one.number == other.number &&
         one.step.address == other.step.address &&
         one.step.access == other.step.access && one.step.pc == other.step.pc &&
         one.step.where.line() == other.step.where.line();
}

std::string place_text(const Step& step) {
  if (step.pc != nullptr) return describe_pc(step.pc);
  if (step.where.line() == 0) return "start";
  return fmt::format("{} ({}:{})", bare_function_name(step.where.function_name()),
                     base_name(step.where.file_name()), step.where.line());
}

// The same schedule with nothing armed: does it end well, and where is it another run?
void compare_with_correct_code(const Program& program, Recorder& recorder,
                               std::vector<TraceEntry> armed, Explanation& to) {
  if (program.bugs.empty()) return;
  RunOptions options;
  options.disarmed = program.bugs;
  recorder.states().watch(nullptr);
  const RunResult& result = recorder.run(program, options);
  const std::string rows = to.rows.size() == 1 ? to.rows[0].id : "its rows";
  to.story.push_back(
      result.finding ? fmt::format("With {} off the same schedule ends in: {}.", rows,
                                   result.finding->signature())
                     : fmt::format("With {} off the same schedule is clean.", rows));
  const auto correct = recorder.trace().entries();
  const auto [mine, other] =
      std::mismatch(armed.begin(), armed.end(), correct.begin(), correct.end(), alike);
  if (mine == armed.end() || other == correct.end()) return;
  if (mine->task != other->task) return;
  const auto index = static_cast<int>(mine - armed.begin());
  to.steps[static_cast<std::size_t>(index)].notable = true;
  if (index > 0) to.last_good = step_sentence(to, index - 1);
  const std::string does = place_text(mine->step), should = place_text(other->step);
  to.first_bad = fmt::format("{}; the correct code: {}{}", step_sentence(to, index),
                             should, does == should ? ", but with another word" : "");
}

}  // namespace

std::uint64_t run_for(const Program& program, std::uint32_t steps) {
  if (!has_tasks(program) && !program.setup.empty()) {
    return run_for(set_up_as_task(program), steps);
  }
  Recorder recorder(program, steps);
  return recorder.run(program, tasks_only()).steps;
}

namespace {

// What is found out in the first run.
struct First {
  Finding finding;
  Phase phase;
  Schedule schedule;
  const void* dead_word = nullptr;
  std::string where;
  bool compares = true;  // with the correct code
};

std::string where_of(const Program& program, const First& first) {
  Replay replay;
  replay.finding = first.finding;
  replay.phase = first.phase;
  return place_of(program, replay);
}

Explanation explain_with(Recorder& recorder, const Program& program, const First& first,
                         const std::string& file) {
  Explanation to;
  to.file = file;
  to.finding = first.finding;
  to.phase = first.phase;
  to.where = first.where;
  add_program(program, to);
  Program replayed = program;
  replayed.schedule = first.schedule;

  const bool began = !recorder.run(set_up_of(program), tasks_only()).finding;
  const PlaceNames begin(recorder.machine(), began);
  recorder.states().watch(first.dead_word);
  const RunResult& result = recorder.run(replayed, tasks_only());
  PlaceNames end(recorder.machine(), first.phase > Phase::kTasks && !result.finding);
  StepWords words(begin, end, recorder.machine().region.live());
  const auto recorded = recorder.trace().entries();
  const std::vector<TraceEntry> entries(recorded.begin(), recorded.end());
  StepMaker(recorder, result, words, to).make(entries.size());
  const std::int64_t freed_by = recorder.states().died_at();
  add_finding(to);
  for (const std::string& line : lines_of(first.finding.detail)) {
    if (line == "at " + to.where.substr(0, line.size() - 3)) continue;
    to.detail.push_back(with_task_names(line, to.tasks));
  }
  find_clash(to, entries, freed_by);
  count_switches(to);
  mark_notable(to);
  tell_story(to);
  if (first.compares) compare_with_correct_code(replayed, recorder, entries, to);
  return to;
}

}  // namespace

std::optional<Explanation> explain(const Program& program, const std::string& file) {
  if (!has_tasks(program) && !program.setup.empty()) {
    return explain(set_up_as_task(program), file);
  }
  Recorder recorder(program, UINT32_MAX);
  const RunResult& result = recorder.run(program, {});
  if (!result.finding) return std::nullopt;
  if (result.phase == Phase::kSetup) return explain(set_up_as_task(program), file);
  First first{*result.finding,
              result.phase,
              recorder.runtime().recorded(),
              recorder.states().dead_word(),
              {}};
  first.where = where_of(program, first);
  return explain_with(recorder, program, first, file);
}

Explanation explain_death(const Program& program, const std::string& file,
                          const std::string& death, std::uint32_t steps) {
  if (!has_tasks(program) && !program.setup.empty()) {
    return explain_death(set_up_as_task(program), file, death, steps);
  }
  Recorder recorder(program, steps);
  const RunResult& result = recorder.run(program, tasks_only());
  First first{{}, Phase::kTasks, recorder.runtime().recorded(), nullptr, {}, false};
  const bool in_tasks = result.finding.has_value();
  if (!in_tasks) first.phase = Phase::kAudit;
  first.finding.kind = FindingKind::kSanitizer;
  first.finding.title = "the process ended: " + death;
  const auto entries = recorder.trace().entries();
  if (in_tasks && !entries.empty()) {
    first.finding.task = entries.back().task;
    first.finding.step = entries.back().number + 1;
    first.finding.where = entries.back().step.where;
  }
  first.where = in_tasks ? fmt::format("behind step {}", steps) : "behind the tasks";
  return explain_with(recorder, program, first, file);
}

}  // namespace racier::repro
