// repro/hunter.cc - see hunter.h.  Tested by hunter_test.cc.
#include "repro/hunter.h"

#include <algorithm>

#include "core/runtime/sanitizers.h"
#include "stress/stop_signals.h"

namespace racier::repro {

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
  if (const auto smallest =
          smallest_of(*found, signature, limits.minimize, limits.ordered)) {
    hunted.smallest = smallest->sizes;
  }
  tell(hunted);
  return hunted;
}

}  // namespace racier::repro
