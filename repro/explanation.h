// repro/explanation.h - what happened in a run that has a finding: one model, which
// explain_text, explain_page and explain_tracks show.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/finding.h"
#include "core/program/runner.h"
#include "core/sync/runtime.h"

namespace racier::repro {

// How a task came to make a step: it made the one before, too; that one's could not go
// on, or was at its end; that one's could have gone on.
enum class Turn : std::uint8_t { kGoesOn, kSwitch, kPreempts };

// A step, or, at the end, what the finding is about.
struct ExplainedStep {
  int task = 0;
  std::uint32_t number = 0;  // among the task's
  int call = -1;             // of Explanation::calls; -1: none
  std::string function;      // "" of a start
  std::string place;         // "zap.cc:51", likewise
  std::string what;          // in words
  std::string object;        // the word that it touches; "": none
  std::string before;        // what that holds, as far as it is known
  std::string after;
  Access access = Access::kNone;
  bool counts = false;                // the word is a reference count
  std::vector<std::string> taken;     // locks, by it
  std::vector<std::string> released;  // likewise
  std::string waits_for;              // a lock; "": none
  std::vector<std::string> holds;     // locks, behind the step
  bool in_rcu = false;                // a read section
  Turn turn = Turn::kGoesOn;
  bool clashes = false;  // one of those that the finding is about
  bool notable = false;  // not to be folded away
  bool finding = false;  // no step: the run's end
  // The step of another task whose store it sees, or who had its lock before; -1: none.
  int from = -1;
};

struct ExplainedRow {  // of the table of bugs
  std::string id, name, sentence, origin;
};

struct ExplainedCall {
  int list = 0;  // as program::Program::list()
  std::string text;
};

struct Explanation {
  std::string file;
  Finding finding;
  program::Phase phase = program::Phase::kSetup;
  std::string where;  // the finding's place, phase, task and step
  std::vector<ExplainedRow> rows;
  std::vector<std::string> tasks;  // their names
  std::vector<ExplainedCall> calls;
  std::vector<ExplainedStep> steps;
  int skipped = 0;   // steps before those
  int switches = 0;  // among tasks that tell something
  int preemptions = 0;
  std::vector<std::string> story;  // what happened, a sentence each
  std::vector<std::string> clash;  // the accesses that met, or who waits for whom
  std::string last_good;
  std::string first_bad;
  std::vector<std::string> detail;  // what the detector says, by lines

  // Returns the number in the run of one of `steps`.
  int number_of(int step) const { return skipped + step; }
  // Returns whether a task did more than to start, or to look for RCU callbacks.
  bool tells(int task) const;
  // Returns how many of the tasks made a call, and how many calls they had.
  int tasks_that_ran() const;
  int calls_of_tasks() const;
};

// Returns "B09 anon_vma_freed_before_lock".
std::string row_title(const ExplainedRow& row);
// Returns "2 tasks, 2 calls, 45 steps, 2 switches (1 of a task that could have gone
// on)".
std::string counts_text(const Explanation& explanation);

}  // namespace racier::repro
