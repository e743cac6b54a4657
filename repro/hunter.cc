// repro/hunter.cc - see hunter.h.  Tested by hunter_test.cc.
#include "repro/hunter.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "core/runtime/sanitizers.h"
#include "repro/child_probe.h"
#include "repro/explainer.h"
#include "repro/in_child.h"
#include "repro/minimizer.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;

// Minimises `found`, and returns the sizes of what is left as words; "": it has no
// finding any more.
std::string sizes_by(Probe& probe, const program::Program& found,
                     Clock::time_point deadline) {
  const Minimizer::Hooks hooks{
      .stop = [&] { return stress::stop_requested() || Clock::now() >= deadline; },
      .is_smaller = [](const program::Program&) {},
  };
  Minimizer minimizer(found, probe, hooks);
  minimizer.minimize();
  const program::Program& program = minimizer.program();
  const auto explanation = explain(program, "");
  if (!explanation) return "";
  return fmt::format("{} {} {} {}", program.tasks.size(), program.calls(),
                     explanation->switches, explanation->preemptions);
}

// In a child, as a candidate may end the process; then each candidate gets one.
std::optional<Smallest> smallest_of(const program::Program& found,
                                    const std::string& signature,
                                    std::chrono::duration<double> time) {
  constexpr std::chrono::seconds kGrace{20};  // to end in order
  constexpr std::chrono::seconds kOne{5};     // the most that one candidate gets
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
  ChildResult result = run_in_child(
      [&] {
        ProcessProbe probe(signature);
        return sizes_by(probe, found, deadline);
      },
      deadline + kGrace);
  if (!result.death.empty()) {
    result = run_in_child(
        [&] {
          ChildProbe probe({signature, ""}, kOne);
          return sizes_by(probe, found, deadline);
        },
        deadline + kGrace);
  }
  std::istringstream words(result.said);
  Smallest smallest;
  words >> smallest.tasks >> smallest.calls >> smallest.switches >>
      smallest.preemptions;
  if (!words) return std::nullopt;
  return smallest;
}

}  // namespace

std::size_t Hunted::found() const {
  return static_cast<std::size_t>(
      std::count_if(searches.begin(), searches.end(),
                    [](const SearchResult& search) { return search.found(); }));
}

const SearchResult* Hunted::median() const {
  std::vector<const SearchResult*> order;
  for (const SearchResult& search : searches) {
    if (search.found()) order.push_back(&search);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const SearchResult* one, const SearchResult* other) {
                     return one->executions < other->executions;
                   });
  if (searches.empty()) return nullptr;
  const std::size_t middle = (searches.size() - 1) / 2;
  return middle < order.size() ? order[middle] : nullptr;
}

program::Program without_its_schedule(program::Program program) {
  program.bugs = {};
  program.schedule = {};
  program.schedule_note.clear();
  program.expectation = {};
  program.expectation.kind = program::Expectation::Kind::kAny;
  program.marks.clear();
  return program;
}

bool is_shown_by(const bug::Row& row, FindingKind kind) {
  return kind == row.shows || (sanitizers::tsan() && kind == FindingKind::kDataRace);
}

Hunted hunt(const program::Program& program, const bug::Row& row,
            const HuntLimits& limits, const std::function<void(const Hunted&)>& tell) {
  Hunted hunted;
  ScheduleSearch search(limits.recipe, limits.steps_max);
  program::Program quarry = without_its_schedule(program);
  hunted.unarmed =
      search.search(quarry, limits.seed, {limits.clean, limits.search.time},
                    [](const Finding&, const Schedule&) { return true; });
  tell(hunted);

  quarry.bugs.arm(row.bug);
  std::optional<program::Program> found;
  std::string signature;
  for (std::uint64_t i = 0; i < limits.repeat && !stress::stop_requested(); ++i) {
    const auto is_it = [&](const Finding& finding, const Schedule& schedule) {
      if (!is_shown_by(row, finding.kind)) {
        if (hunted.others++ == 0) hunted.other = finding.signature();
        return false;
      }
      if (!found) {
        found = quarry;
        found->schedule = schedule;
        signature = finding.signature();
      }
      return true;
    };
    hunted.searches.push_back(
        search.search(quarry, limits.seed + i, limits.search, is_it));
    tell(hunted);
  }
  if (!found || stress::stop_requested()) return hunted;
  hunted.smallest = smallest_of(*found, signature, limits.minimize);
  tell(hunted);
  return hunted;
}

}  // namespace racier::repro
