// repro/clash.cc - finds the steps that met.  Tested by explainer_test.cc.
#include "repro/clash.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace racier::repro {
namespace {

using program::Phase;

std::string task_of(const Explanation& of, int task) {
  if (task >= 0) return of.tasks[static_cast<std::size_t>(task)];
  return of.phase == Phase::kTasks
             ? "all tasks"
             : std::string("the ") + program::phase_name(of.phase);
}

const ExplainedStep& at(const Explanation& of, int step) {
  return of.steps[static_cast<std::size_t>(step)];
}

bool is_of_a_lock(const ExplainedStep& step) {
  return !step.taken.empty() || !step.released.empty() || !step.waits_for.empty();
}

bool changes(const ExplainedStep& step) {
  if (step.access == Access::kRead || step.access == Access::kNone) return false;
  return step.before != step.after || step.before.empty();
}

// References come and go with everything that is done: they are told of only if it is
// about them.
bool is_beside_the_point(const Explanation& of, const std::string& object) {
  const FindingKind kind = of.finding.kind;
  return kind != FindingKind::kRefcount && kind != FindingKind::kCount &&
         (object.ends_with(" count") || object.ends_with(" mm_users"));
}

// Two steps of two tasks that met on a word.
struct StepPair {
  int first;
  int second;
};

// Looks for the last place where a task, in the middle of a call, had looked at or
// changed what others then changed or looked at.
class Meeting {
 public:
  Meeting(const Explanation& of, std::span<const TraceEntry> entries)
      : of_(of), entries_(entries) {}

  // Of tasks that were interrupted; if there were none, of those that waited.
  std::optional<StepPair> find() const {
    for (const Turn turn : {Turn::kPreempts, Turn::kSwitch}) {
      for (int step = count() - 1; step > 0; --step) {
        if (at(of_, step).turn != turn) continue;
        if (const auto pair = behind(step)) return pair;
      }
    }
    return std::nullopt;
  }

 private:
  int count() const { return static_cast<int>(entries_.size()); }
  const TraceEntry& entry(int step) const {
    return entries_[static_cast<std::size_t>(step)];
  }

  // The step before `step` was of a task that did not go on, in the middle of a call.
  std::optional<StepPair> behind(int step) const {
    const int task = entry(step - 1).task;
    int end = step;
    while (end < count() && entry(end).task != task) ++end;
    const bool in_a_call = end == count() ? at(of_, step).turn == Turn::kPreempts
                                          : at(of_, end).call == at(of_, step - 1).call;
    if (!in_a_call) return std::nullopt;
    std::optional<StepPair> best;
    for (int first = step - 1; first >= 0; --first) {
      if (entry(first).task != task) continue;
      if (at(of_, first).call != at(of_, step - 1).call) break;
      const auto second = meets(first, step, end);
      if (!second) continue;
      if (used_again(first, task, end)) return StepPair{first, *second};
      if (!best) best = StepPair{first, *second};
    }
    return best;
  }

  // Returns the last step in [begin, end) that conflicts with `first`, if what it did
  // to the word lasted.
  std::optional<int> meets(int first, int begin, int end) const {
    const ExplainedStep& one = at(of_, first);
    if (one.object.empty() || is_of_a_lock(one) || is_beside_the_point(of_, one.object))
      return std::nullopt;
    std::optional<int> changed, seen;
    for (int step = begin; step < end; ++step) {
      if (entry(step).step.address != entry(first).step.address) continue;
      const ExplainedStep& other = at(of_, step);
      if (is_of_a_lock(other)) return std::nullopt;
      (changes(other) ? changed : seen) = step;
    }
    if (changed && at(of_, *changed).after != one.after) return changed;
    return changes(one) && one.before != one.after ? seen : std::nullopt;
  }

  bool used_again(int first, int task, int begin) const {
    for (int step = begin; step < count(); ++step) {
      if (entry(step).task == task &&
          entry(step).step.address == entry(first).step.address) {
        return true;
      }
    }
    return false;
  }

  const Explanation& of_;
  std::span<const TraceEntry> entries_;
};

void mark(Explanation& to, int step) {
  to.steps[static_cast<std::size_t>(step)].clashes = true;
}

int finding_row(const Explanation& of) { return static_cast<int>(of.steps.size()) - 1; }

void clash_of_freed_memory(Explanation& to, int freed_by) {
  mark(to, freed_by);
  const std::string freed =
      fmt::format("{}: behind it the memory is free", step_title(to, freed_by));
  to.clash = {freed, step_sentence(to, finding_row(to))};
  to.last_good =
      fmt::format("up to step {} the memory is alive", to.number_of(freed_by));
  to.first_bad =
      fmt::format("from step {} on it is free, and {} still has its address",
                  to.number_of(freed_by), task_of(to, at(to, finding_row(to)).task));
}

// Of a deadlock, and of an order of locks: the detector knows best.
void clash_of_locks(Explanation& to) {
  for (const std::string& line : to.detail) to.clash.push_back(line);
  const ExplainedStep& finding = at(to, finding_row(to));
  std::set<int> seen;
  std::vector<std::string> held = finding.holds;
  for (int step = finding_row(to) - 1; step >= 0; --step) {
    const ExplainedStep& one = at(to, step);
    const bool last_of_task = seen.insert(one.task).second;
    if (last_of_task && !one.waits_for.empty()) mark(to, step);
    if (one.task != finding.task) continue;
    for (const std::string& lock : one.taken) {
      const auto found = std::find(held.begin(), held.end(), lock);
      if (found == held.end()) continue;
      mark(to, step);
      held.erase(found);
    }
  }
}

void clash_of_words(Explanation& to, const StepPair& pair) {
  mark(to, pair.first);
  mark(to, pair.second);
  to.clash = {step_sentence(to, pair.first), step_sentence(to, pair.second)};
  to.last_good = step_sentence(to, pair.first);
  to.first_bad = step_sentence(to, pair.second);
}

// A sanitizer knows where both were: the last step of each task at one of these places.
void clash_of_data(Explanation& to) {
  to.clash = to.detail;
  std::set<int> seen;
  for (int step = finding_row(to) - 1; step >= 0; --step) {
    const ExplainedStep& one = at(to, step);
    const bool named =
        std::any_of(to.detail.begin(), to.detail.end(), [&](const std::string& line) {
          return !one.place.empty() && line.find("(" + one.place + ")") != line.npos;
        });
    if (named && seen.insert(one.task).second) mark(to, step);
  }
}

bool is_about_locks(FindingKind kind) {
  return kind == FindingKind::kDeadlock || kind == FindingKind::kLockOrder ||
         kind == FindingKind::kLockUse || kind == FindingKind::kAtomicSleep;
}

}  // namespace

std::string step_title(const Explanation& of, int step) {
  const ExplainedStep& one = at(of, step);
  const std::string place = one.place.empty() ? "" : fmt::format(" ({})", one.place);
  if (one.finding) {
    const std::string in = one.function.empty() ? "" : " in " + one.function;
    return fmt::format("then {}{}{}", task_of(of, one.task), in, place);
  }
  return fmt::format("step {}, {} in {}{}", of.number_of(step), task_of(of, one.task),
                     one.function, place);
}

std::string step_sentence(const Explanation& of, int step) {
  return fmt::format("{}: {}", step_title(of, step), at(of, step).what);
}

void find_clash(Explanation& to, std::span<const TraceEntry> entries,
                std::int64_t freed_by) {
  const bool in_tasks = to.phase == Phase::kTasks;
  const auto pair = Meeting(to, entries).find();
  if (freed_by >= 0) {
    clash_of_freed_memory(to, static_cast<int>(freed_by));
  } else if (is_about_locks(to.finding.kind) && !to.detail.empty()) {
    clash_of_locks(to);
  } else if (to.finding.kind == FindingKind::kDataRace) {
    clash_of_data(to);
  } else if (pair) {
    clash_of_words(to, *pair);
  }
  const int last = finding_row(to);
  if (!to.last_good.empty()) return;
  if (last > 0 && in_tasks) to.last_good = step_sentence(to, last - 1);
  if (!in_tasks) to.last_good = "after the set-up";
  to.first_bad = step_sentence(to, last);
}

namespace {

// Of calls of which something is told, their beginnings.
void note_begins(Explanation& to) {
  std::set<int> told, begun;
  for (const ExplainedStep& step : to.steps) {
    if (step.notable) told.insert(step.call);
  }
  for (ExplainedStep& step : to.steps) {
    const bool begins = step.call >= 0 && begun.insert(step.call).second;
    if (begins && told.contains(step.call)) step.notable = true;
  }
}

}  // namespace

void count_switches(Explanation& to) {
  int last = -1;
  for (const ExplainedStep& step : to.steps) {
    if (step.finding || step.task == last || !to.tells(step.task)) continue;
    if (last >= 0) ++to.switches;
    if (last >= 0 && step.turn == Turn::kPreempts) ++to.preemptions;
    last = step.task;
  }
}

void mark_notable(Explanation& to) {
  const int count = static_cast<int>(to.steps.size());
  std::map<std::string, std::set<int>> users;
  for (const ExplainedStep& step : to.steps) users[step.object].insert(step.task);
  const auto note = [&to](int step) {
    to.steps[static_cast<std::size_t>(step)].notable = true;
  };
  for (int i = 0; i < count; ++i) {
    const ExplainedStep& step = at(to, i);
    if (step.turn != Turn::kGoesOn && to.tells(step.task) &&
        to.tells(at(to, i - 1).task)) {
      note(i);
      note(i - 1);
    }
    if (step.clashes || !step.waits_for.empty()) note(i);
    // What one task counts and another one sees.
    if (step.from >= 0 && !is_of_a_lock(step) && step.object != "rcu" &&
        !is_beside_the_point(to, step.object) && changes(at(to, step.from)) &&
        !is_of_a_lock(at(to, step.from))) {
      note(i);
      note(step.from);
    }
    const bool last_one = step.after == "0" || step.after == "-1";
    if (step.counts && changes(step) && last_one && users[step.object].size() > 1) {
      note(i);
    }
  }
  if (count > 1) note(count - 2);
  note(count - 1);
  note_begins(to);
}

namespace {

// Of a task that only starts, or of the one that runs callbacks; "": nothing is to be
// told.
std::string turn_without_calls(const Explanation& of, int begin, int end) {
  for (int step = begin; step < end; ++step) {
    if (at(of, step).call < 0 && of.tells(at(of, step).task) && step > begin) {
      return "the callbacks of RCU run";
    }
  }
  return "";
}

// The steps [begin, end) are one turn of a task.
std::string turn_text(const Explanation& of, int begin, int end) {
  const int task = at(of, begin).task;
  std::vector<int> calls;
  for (int step = begin; step < end; ++step) {
    const int call = at(of, step).call;
    if (call >= 0 && (calls.empty() || calls.back() != call)) calls.push_back(call);
  }
  if (calls.empty()) return turn_without_calls(of, begin, end);
  std::string text = task_of(of, task);
  const bool goes_on = std::any_of(
      of.steps.begin(), of.steps.begin() + begin, [&](const ExplainedStep& step) {
        return step.task == task && step.call == calls.front();
      });
  const auto name = [&of](int call) {
    return "`" + of.calls[static_cast<std::size_t>(call)].text + "`";
  };
  text += goes_on ? " goes on with " + name(calls.front())
                  : " makes " + name(calls.front());
  if (calls.size() > 2) text += fmt::format(", makes {} more", calls.size() - 2);
  if (calls.size() > 1) text += " and then makes " + name(calls.back());
  return text;
}

std::string end_text(const Explanation& of, int end) {
  const ExplainedStep& last = at(of, end - 1);
  if (end >= finding_row(of)) return "";
  if (last.call < 0) return "";
  if (at(of, end).turn == Turn::kPreempts) {
    return fmt::format(" and is interrupted behind step {}, in {} ({})",
                       of.number_of(end - 1), last.function, last.place);
  }
  if (!last.waits_for.empty()) {
    return fmt::format(" and waits for {} in {} ({})", last.waits_for, last.function,
                       last.place);
  }
  return "";
}

std::string what_then(const Explanation& of) {
  const ExplainedStep& finding = of.steps.back();
  if (of.phase != Phase::kTasks) {
    return fmt::format("Then the {} finds", program::phase_name(of.phase));
  }
  if (of.finding.kind == FindingKind::kDeadlock) return "Then nobody can go on";
  return fmt::format("Then, in {} of {}", finding.function, task_of(of, finding.task));
}

}  // namespace

void tell_story(Explanation& to) {
  constexpr std::size_t kTurnsTold = 6;
  std::vector<std::string> turns;
  for (int begin = 0, end = 0; begin < finding_row(to); begin = end) {
    while (end < finding_row(to) && at(to, end).task == at(to, begin).task) ++end;
    const std::string turn = turn_text(to, begin, end);
    if (!turn.empty()) turns.push_back(turn + end_text(to, end));
  }
  const std::size_t left_out =
      turns.size() > kTurnsTold ? turns.size() - kTurnsTold : 0;
  std::string text;
  if (left_out > 0) text = fmt::format("after {} turns ", left_out);
  for (std::size_t i = left_out; i < turns.size(); ++i) {
    text += (i == left_out ? "" : "; ") + turns[i];
  }
  if (!text.empty()) to.story.push_back(text + ".");
  to.story.push_back(fmt::format("{}: {}.", what_then(to), to.finding.title));
}

}  // namespace racier::repro
