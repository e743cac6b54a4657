// repro/explain_tracks.cc - see explain_tracks.h.  Tested by explain_tracks_test.cc.
#include "repro/explain_tracks.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace racier::repro {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kProcess = 1;

class Tracks {
 public:
  explicit Tracks(const Explanation& of)
      : of_(of), end_(static_cast<int>(of.steps.size()) - 1) {}

  std::string json() {
    names();
    calls();
    for (int i = 0; i < end_; ++i) {
      step(i);
      turn(i);
      count(i);
      locks(i);
      flow(i);
    }
    locks_at_the_end();
    finding();
    Json rows = Json::array();
    for (const ExplainedRow& row : of_.rows) rows.push_back(row_title(row));
    return Json{{"traceEvents", events_},
                {"displayTimeUnit", "ns"},
                {"otherData",
                 {{"finding", of_.finding.title},
                  {"signature", of_.finding.signature()},
                  {"armed", rows},
                  {"unit", "a step of the run is a microsecond"}}}}
               .dump() +
           "\n";
  }

 private:
  const ExplainedStep& at(int i) const {
    return of_.steps[static_cast<std::size_t>(i)];
  }
  static int track(int task) { return task + 1; }

  // An event of a kind: what all of them have.
  Json event(const char* phase, const std::string& name, int task, int time) const {
    return {{"ph", phase},
            {"name", name},
            {"pid", kProcess},
            {"tid", track(task)},
            {"ts", of_.number_of(time)}};
  }

  void names() {
    Json process = event("M", "process_name", 0, 0);
    process["args"] = {{"name", of_.finding.title}};
    events_.push_back(process);
    for (int task = 0; task < static_cast<int>(of_.tasks.size()); ++task) {
      const std::string& name = of_.tasks[static_cast<std::size_t>(task)];
      Json thread = event("M", "thread_name", task, 0);
      thread["args"] = {{"name", (name == "rcu" ? "" : "task ") + name}};
      events_.push_back(thread);
      Json place = event("M", "thread_sort_index", task, 0);
      place["args"] = {{"sort_index", task}};
      events_.push_back(place);
    }
  }

  // From the first step of each to behind its last.
  void calls() {
    std::map<int, std::pair<int, int>> spans;
    for (int i = 0; i < end_; ++i) {
      if (at(i).call < 0) continue;
      spans.try_emplace(at(i).call, i, i).first->second.second = i;
    }
    for (const auto& [call, span] : spans) {
      const auto& [first, last] = span;
      const std::string& text = of_.calls[static_cast<std::size_t>(call)].text;
      Json slice = event("X", text, at(first).task, first);
      slice["dur"] = last + 1 - first;
      slice["cat"] = "call";
      events_.push_back(slice);
    }
  }

  void step(int i) {
    const ExplainedStep& step = at(i);
    Json slice =
        event("X", step.function.empty() ? step.what : step.function, step.task, i);
    slice["dur"] = 1;
    slice["cat"] = step.clashes ? "step,clash" : "step";
    slice["args"] = {
        {"step", of_.number_of(i)}, {"what", step.what}, {"place", step.place}};
    events_.push_back(slice);
  }

  void turn(int i) {
    if (at(i).turn == Turn::kGoesOn) return;
    const bool interrupts = at(i).turn == Turn::kPreempts;
    Json instant = event("i", interrupts ? "interrupted" : "switch", at(i - 1).task, i);
    instant["s"] = "t";
    instant["cat"] = "schedule";
    instant["args"] = {{"next", of_.tasks[static_cast<std::size_t>(at(i).task)]}};
    events_.push_back(instant);
  }

  void count(int i) {
    const ExplainedStep& step = at(i);
    int value = 0;
    const char* const end = step.after.data() + step.after.size();
    if (!step.counts || step.before == step.after ||
        std::from_chars(step.after.data(), end, value).ptr != end ||
        step.after.empty()) {
      return;
    }
    Json counter = event("C", step.object, step.task, i);
    counter["args"] = {{"value", value}};
    events_.push_back(counter);
  }

  Json hold(const char* phase, const std::string& lock, int task, int time, int id) {
    const std::string name =
        of_.tasks[static_cast<std::size_t>(task)] + " holds " + lock;
    Json slice = event(phase, name, task, time);
    slice["cat"] = "lock";
    slice["id"] = id;
    return slice;
  }

  // Released before taken: a lock that is downgraded is let go of and taken.
  void locks(int i) {
    const int task = at(i).task;
    for (const std::string& lock : at(i).released) {
      const auto held = held_.find({task, lock});
      if (held == held_.end()) continue;
      events_.push_back(hold("e", lock, task, i + 1, held->second));
      held_.erase(held);
    }
    for (const std::string& lock : at(i).taken) {
      held_[{task, lock}] = ++ids_;
      events_.push_back(hold("b", lock, task, i, ids_));
    }
  }

  void locks_at_the_end() {
    for (const auto& [held, id] : held_) {
      events_.push_back(hold("e", held.second, held.first, end_ + 1, id));
    }
  }

  void flow(int i) {
    if (at(i).from < 0) return;
    const char* const name = at(i).taken.empty() ? "store to load" : "unlock to lock";
    ++ids_;
    for (const auto& [phase, step] : {std::pair{"s", at(i).from}, std::pair{"f", i}}) {
      Json arrow = event(phase, name, at(step).task, step);
      arrow["cat"] = "flow";
      arrow["id"] = ids_;
      if (*phase == 'f') arrow["bp"] = "e";
      events_.push_back(arrow);
    }
  }

  void finding() {
    const ExplainedStep& last = at(end_);
    Json instant = event("i", last.what, std::max(last.task, 0), end_);
    instant["s"] = last.task < 0 ? "g" : "p";
    instant["cat"] = "finding";
    instant["args"] = {{"function", last.function}, {"place", last.place}};
    events_.push_back(instant);
  }

  const Explanation& of_;
  const int end_;  // the finding: behind the last step
  Json events_ = Json::array();
  std::map<std::pair<int, std::string>, int> held_;  // ids of their slices
  int ids_ = 0;
};

}  // namespace

std::string explain_tracks(const Explanation& explanation) {
  return Tracks(explanation).json();
}

}  // namespace racier::repro
