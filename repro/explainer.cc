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
#include <span>
#include <utility>

#include "core/base/source_name.h"
#include "core/runtime/plain_steps.h"
#include "repro/clash.h"
#include "repro/place_names.h"
#include "repro/replayer.h"
#include "repro/step_maker.h"
#include "repro/step_recorder.h"
#include "repro/step_words.h"

namespace racier::repro {
namespace {

using program::Phase;
using program::Program;
using program::RunOptions;
using program::RunResult;

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

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Returns whether a line of a sanitizer's is about what calls every call of a program.
bool is_of_the_machinery(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  constexpr std::string_view kFrames[] = {
      "run (op.h:",      "run_calls (runner.cc:",      "run_tasks (",
      "operator() (run", "operator() (function_ref.h", "run_body (fiber_runtime.cc:",
      "__invoke (funct"};
  return std::any_of(
      std::begin(kFrames), std::end(kFrames),
      [line](std::string_view frame) { return line.starts_with(frame); });
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
  for (const SiteName& site : program.drops) {
    to.rows.push_back(
        {"drop", site_text(site), "The run does without it.", "left out"});
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

// Says which bugs are armed, and what is left out.
std::string row_names(const Explanation& explanation) {
  if (explanation.rows.size() > 1) return "its rows";
  const ExplainedRow& row = explanation.rows[0];
  return row.id == "drop" ? "the drop of " + row.name : row.id;
}

// The same schedule with nothing armed: does it end well, and where is it another run?
void compare_with_correct_code(const Program& program, StepRecorder& recorder,
                               std::vector<TraceEntry> armed, Explanation& to) {
  if (program.bugs.empty() && program.drops.empty()) return;
  RunOptions options;
  options.disarmed = program.bugs;
  options.drops = false;
  recorder.states().watch(nullptr);
  const RunResult& result = recorder.run(program, options);
  const std::string rows = row_names(to);
  to.story.push_back(
      result.finding ? fmt::format("With {} off the same schedule ends in: {}.", rows,
                                   result.finding->signature())
                     : fmt::format("With {} off the same schedule is clean.", rows));
  const auto correct = recorder.entries();
  const auto [mine, other] =
      std::mismatch(armed.begin(), armed.end(), correct.begin(), correct.end(), alike);
  if (mine == armed.end() || other == correct.end()) return;
  if (mine->task != other->task) return;
  const auto index = static_cast<int>(mine - armed.begin()) - to.skipped;
  if (index < 0) return;
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
  StepRecorder recorder(program, steps);
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

Explanation explain_with(StepRecorder& recorder, const Program& program,
                         const First& first, const std::string& file) {
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
  const auto recorded = recorder.entries();
  const std::vector<TraceEntry> entries(recorded.begin(), recorded.end());
  make_steps(recorder, words, to);
  const std::int64_t freed_by = recorder.states().died_at() - to.skipped;
  add_finding(to);
  for (const std::string& line : lines_of(first.finding.detail)) {
    if (line == "at " + to.where.substr(0, line.size() - 3)) continue;
    if (!is_of_the_machinery(line))
      to.detail.push_back(with_task_names(line, to.tasks));
  }
  find_clash(to, std::span(entries).subspan(static_cast<std::size_t>(to.skipped)),
             freed_by);
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
  StepRecorder recorder(program, UINT32_MAX);
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
  StepRecorder recorder(program, steps);
  const RunResult& result = recorder.run(program, tasks_only());
  First first{{}, Phase::kTasks, recorder.runtime().recorded(), nullptr, {}, false};
  const bool in_tasks = result.finding.has_value();
  if (!in_tasks) first.phase = Phase::kAudit;
  first.finding.kind = FindingKind::kSanitizer;
  first.finding.title = "the process ended: " + death;
  const auto entries = recorder.entries();
  if (in_tasks && !entries.empty()) {
    first.finding.task = entries.back().task;
    first.finding.step = entries.back().number + 1;
    first.finding.where = entries.back().step.where;
  }
  first.where = in_tasks ? fmt::format("behind step {}", steps) : "behind the tasks";
  return explain_with(recorder, program, first, file);
}

}  // namespace racier::repro
