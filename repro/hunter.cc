// repro/hunter.cc - see hunter.h.  Tested by hunter_test.cc.
#include "repro/hunter.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "core/runtime/sanitizers.h"
#include "repro/files.h"
#include "stress/stop_signals.h"

namespace racier::repro {

const char* hunt_engine_name(HuntEngine engine) {
  constexpr const char* kNames[] = {"schedules", "threads", "libfuzzer"};
  static_assert(sizeof kNames / sizeof kNames[0] == kHuntEngines);
  return kNames[static_cast<int>(engine)];
}

HuntEngine hunt_engine_named(const std::string& name) {
  for (int i = 0; i < kHuntEngines; ++i) {
    const auto engine = static_cast<HuntEngine>(i);
    if (name == hunt_engine_name(engine)) return engine;
  }
  throw BadInput(fmt::format("no engine '{}': schedules, threads or libfuzzer", name));
}

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

bool is_shown_by_death(const bug::Row& row, const std::string& death) {
  if (row.shows != FindingKind::kUseAfterFree) return false;
  return death.starts_with(fmt::format("signal {}", SIGSEGV)) ||
         death.starts_with(fmt::format("signal {}", SIGBUS)) ||
         death.find("SUMMARY: ") != death.npos;
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
  if (!found || limits.minimize.count() <= 0 || stress::stop_requested()) return hunted;
  if (const auto smallest =
          smallest_of(*found, signature, limits.minimize, limits.ordered)) {
    hunted.smallest = smallest->sizes;
  }
  tell(hunted);
  return hunted;
}

}  // namespace racier::repro
