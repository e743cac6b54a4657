// repro/explanation.cc - see explanation.h.  Tested by explainer_test.cc.
#include "repro/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace racier::repro {

bool Explanation::tells(int task) const {
  return std::any_of(steps.begin(), steps.end(), [task](const ExplainedStep& step) {
    const bool works = !step.place.empty() && step.object != "rcu";
    return step.task == task && (works || step.clashes);
  });
}

int Explanation::tasks_that_ran() const {
  std::set<int> ran;
  for (const ExplainedStep& step : steps) {
    if (step.call >= 0) ran.insert(step.task);
  }
  return static_cast<int>(ran.size());
}

int Explanation::calls_of_tasks() const {
  return static_cast<int>(
      std::count_if(calls.begin(), calls.end(),
                    [](const ExplainedCall& call) { return call.list > 0; }));
}

std::string row_title(const ExplainedRow& row) { return row.id + " " + row.name; }

std::string counts_text(const Explanation& explanation) {
  const auto of = [](auto count, const char* one, const char* more) {
    return fmt::format("{} {}", count, count == 1 ? one : more);
  };
  const auto steps =
      std::count_if(explanation.steps.begin(), explanation.steps.end(),
                    [](const ExplainedStep& step) { return !step.finding; }) +
      explanation.skipped;
  std::string text = fmt::format(
      "{}, {}, {}, {}", of(explanation.tasks_that_ran(), "task", "tasks"),
      of(explanation.calls_of_tasks(), "call", "calls"), of(steps, "step", "steps"),
      of(explanation.switches, "switch", "switches"));
  if (explanation.preemptions > 0) {
    text +=
        fmt::format(" ({} of a task that could have gone on)", explanation.preemptions);
  }
  return text;
}

}  // namespace racier::repro
