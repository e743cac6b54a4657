// repro/step_maker.cc - puts together what a trace and what stood around its steps say.
//
// Tested by explainer_test.cc.
#include "repro/step_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/base/source_name.h"
#include "core/runtime/plain_steps.h"

namespace racier::repro {
namespace {

class StepMaker {
 public:
  StepMaker(StepRecorder& recorder, StepWords& words, Explanation& explanation)
      : recorder_(recorder),
        words_(words),
        to_(explanation),
        entries_(recorder.entries()) {}

  void make() {
    const std::size_t count = entries_.size();
    first_ = count > kStepsTold ? count - kStepsTold : 0;
    to_.skipped = static_cast<int>(first_);
    find_next();
    for (std::size_t i = first_; i < count; ++i) add(i);
    note_locks();
    note_waits();
    note_rcu();
    note_turns();
    note_origins();
    for (std::size_t i = first_; i < count; ++i) say(i);
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  const StepState& state(std::size_t i) const { return recorder_.states().states()[i]; }
  // Step `i` as it is told.
  ExplainedStep& told(std::size_t i) { return to_.steps[i - first_]; }
  const ExplainedStep& told(std::size_t i) const { return to_.steps[i - first_]; }

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
    std::array<std::vector<std::string>, kTasksMax> holds;
    for (const LockChange& change : recorder_.states().changes()) {
      if (change.step >= entries_.size()) continue;
      const std::string name = name_of(change.lock);
      lock_words_[change.lock.lock] =
          words_.lock(change.lock.lock, *change.lock.lock_class);
      if (change.step < first_) {
        apply(name, change.taken, holds[entries_[change.step].task]);
        continue;
      }
      ExplainedStep& step = told(change.step);
      (change.taken ? step.taken : step.released).push_back(name);
      const void* const word = entries_[change.step].step.address;
      const bool waited = state(change.step).wanted.lock == change.lock.lock;
      if (word == change.lock.lock || waited) own_.insert(change.step);
    }
    for (std::size_t i = first_; i < entries_.size(); ++i) {
      auto& held = holds[entries_[i].task];
      for (const std::string& lock : told(i).released) apply(lock, false, held);
      for (const std::string& lock : told(i).taken) apply(lock, true, held);
      told(i).holds = held;
    }
  }

  static void apply(const std::string& lock, bool taken,
                    std::vector<std::string>& held) {
    const auto found = std::find(held.begin(), held.end(), lock);
    if (taken) {
      held.push_back(lock);
    } else if (found != held.end()) {
      held.erase(found);
    }
  }

  // The lock that the task wants behind a step, if it has to wait for it.
  const WantedLock* wanted_behind(std::size_t i) {
    if (next_[i] != kNone) return &state(next_[i]).wanted;
    return recorder_.wanted_in_the_end(entries_[i].task);
  }

  void note_waits() {
    for (std::size_t i = first_; i < entries_.size(); ++i) {
      const WantedLock* const wanted = wanted_behind(i);
      ExplainedStep& step = told(i);
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
    for (std::size_t i = first_; i < entries_.size(); ++i) {
      const bool goes_on = next_[i] != kNone;
      const StepState& behind = state(goes_on ? next_[i] : i);
      told(i).in_rcu = behind.rcu_nesting > 0 && (goes_on || cut_off(i));
    }
  }

  void note_turns() {
    for (std::size_t i = first_ + 1; i < entries_.size(); ++i) {
      const TraceEntry& last = entries_[i - 1];
      if (entries_[i].task == last.task) continue;
      const bool interrupts = recorder_.was_interrupted(last.task, last.number);
      told(i).turn = interrupts ? Turn::kPreempts : Turn::kSwitch;
    }
  }

  // Whose store each step sees.
  void note_origins() {
    std::map<const void*, std::size_t> writers;
    for (std::size_t i = first_; i < entries_.size(); ++i) {
      const Step& step = entries_[i].step;
      if (step.address == nullptr) continue;
      const auto last = writers.find(step.address);
      if (last != writers.end() && step.access != Access::kWrite &&
          entries_[last->second].task != entries_[i].task) {
        told(i).from = static_cast<int>(last->second - first_);
      }
      const bool changes = step.access == Access::kWrite || told(i).before.empty() ||
                           told(i).before != told(i).after;
      if (step.access != Access::kRead && changes) writers[step.address] = i;
    }
  }

  void say(std::size_t i) {
    ExplainedStep& step = told(i);
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
    const ExplainedStep& step = told(i);
    const std::string locks = locks_text(step);
    if (own_.contains(i)) return locks;
    if (!step.waits_for.empty()) {
      const bool waits = next_[i] != kNone || step.task != to_.finding.task;
      return (waits ? "waits for " : "is about to lock ") + step.waits_for;
    }
    if (step.access == Access::kNone) return "sleeps";
    if (cut_off(i) && is_of_a_lock(i)) return last_of_a_lock(i);
    std::string text =
        StepWords::of_access(step.access, step.object, step.before, step.after);
    if (!locks.empty()) text += "; " + locks;
    return text;
  }

  // Returns whether `i` is the last step of a task that was unwound behind it: then
  // nobody has seen what it did to locks.
  bool cut_off(std::size_t i) const {
    return next_[i] == kNone && !recorder_.came_to_its_end(entries_[i].task);
  }

  bool is_of_a_lock(std::size_t i) const {
    const std::string& object = told(i).object;
    return told(i).access != Access::kRead &&
           (lock_words_.contains(entries_[i].step.address) ||
            object.ends_with("_lock") || object.ends_with("_sem"));
  }

  std::string last_of_a_lock(std::size_t i) const {
    const auto known = lock_words_.find(entries_[i].step.address);
    const std::string name =
        known == lock_words_.end() ? told(i).object : known->second;
    const auto& holds = told(i).holds;
    const bool held = std::any_of(holds.begin(), holds.end(), [&](const auto& lock) {
      return lock == name || lock == name + " (shared)";
    });
    return (held ? "unlocks " : "locks ") + name;
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

  StepRecorder& recorder_;
  StepWords& words_;
  Explanation& to_;
  std::span<const TraceEntry> entries_;
  std::size_t first_ = 0;  // that is told
  std::vector<std::size_t> next_;
  std::map<const void*, std::string> lock_words_;
  std::set<std::size_t> own_;  // steps that are those of the lock that changed
};

}  // namespace

void make_steps(StepRecorder& recorder, StepWords& words, Explanation& explanation) {
  StepMaker(recorder, words, explanation).make();
}

}  // namespace racier::repro
