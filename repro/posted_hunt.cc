// repro/posted_hunt.cc - see posted_hunt.h.  Tested by posted_hunt_test.cc.
#include "repro/posted_hunt.h"

#include <fmt/format.h>

#include <map>

#include "core/program/machine_keys.h"
#include "core/rmap/scheme.h"
#include "repro/minimizer.h"

namespace racier::repro {
namespace {

// How many schedules a finding gets to come again with other rows armed.
constexpr std::uint64_t kAgain = 200;
// After so many findings of others a row is taken to be hidden behind them.
constexpr std::uint64_t kOthersMax = 1'000;

// What later times have otherwise.
struct Knob {
  const char* key;  // of the machine
  const char* later;
};
constexpr Knob kKnobs[] = {
    {"fault", "shared"},       {"ptl", "split"},   {"swap_lock", "global"},
    {"gather", "preemptible"}, {"rcu", "preempt"}, {"unmap", "batched"},
    {"lookup", "per_vma"},
};

MachineOptions turned(MachineOptions machine, const Knob& knob) {
  const program::MachineKey& key = program::machine_key(knob.key);
  key.set(machine, *key.parse(knob.later));
  return machine;
}

bool claims(const MachineOptions& machine) {
  return rmap::claimed(machine).period == machine.period;
}

// Which findings are the row's, each by its signature; what is known is not asked
// again.
class Attribution {
 public:
  Attribution(program::Program armed, Bug bug) : armed_(std::move(armed)), bug_(bug) {}

  bool is_of_the_row(const Finding& finding, const Schedule& schedule) {
    const auto [known, fresh] = of_the_row_.try_emplace(finding.signature(), false);
    if (fresh) known->second = find_out(known->first, schedule);
    return known->second;
  }
  // Returns whether it comes with nothing armed.
  bool is_of_nobody(const Finding& finding, const Schedule& schedule) {
    const auto [known, fresh] = of_nobody_.try_emplace(finding.signature(), false);
    if (fresh) known->second = comes_with({}, known->first, schedule);
    return known->second;
  }

 private:
  bool find_out(const std::string& signature, const Schedule& schedule) const {
    BugSet alone, others;
    alone.arm(bug_);
    for (const bug::Row& row : bug::rows()) {
      if (row.bug != bug_ && armed_.bugs.has(row.bug)) others.arm(row.bug);
    }
    return comes_with(alone, signature, schedule) ||
           !comes_with(others, signature, schedule);
  }

  bool comes_with(BugSet bugs, const std::string& signature,
                  const Schedule& schedule) const {
    program::Program program = armed_;
    program.bugs = bugs;
    program.schedule = schedule;
    return ProcessProbe(signature).shows(program, kAgain);
  }

  const program::Program armed_;
  const Bug bug_;
  std::map<std::string, bool> of_the_row_;
  std::map<std::string, bool> of_nobody_;
};

}  // namespace

std::vector<PostedPeriod> periods_of(const program::AsPosted& patch) {
  MachineOptions machine;
  patch.set_machine(machine);
  std::vector<PostedPeriod> periods = {{"its time", machine.period}};
  if (machine.period.split_ptl) {
    periods.push_back({"ptl=mm", turned(machine, {"ptl", "mm"}).period});
  }
  MachineOptions all = machine;
  for (const Knob& knob : kKnobs) {
    const bool its_own =
        knob.key == std::string("lookup") && machine.period.lookup != VmaLookup::kTree;
    const MachineOptions later = turned(machine, knob);
    if (its_own || later.period == machine.period || !claims(later)) continue;
    periods.push_back({fmt::format("{}={}", knob.key, knob.later), later.period});
    all = turned(all, knob);
  }
  periods.push_back({"all of these", all.period});
  return periods;
}

Posted hunt_posted(const program::Program& program, const program::AsPosted& patch,
                   const PostedPeriod& period, const bug::Row& row,
                   const HuntLimits& limits, Armed armed) {
  Posted posted;
  program::Program quarry = without_its_schedule(program);
  patch.set_machine(quarry.machine);
  quarry.machine.period = period.period;
  ScheduleSearch search(limits.recipe, limits.steps_max);
  posted.unarmed =
      search.search(quarry, limits.seed, {limits.clean, limits.search.time},
                    [](const Finding&, const Schedule&) { return true; });

  quarry.bugs = patch.bugs();
  Attribution attribution(quarry, row.bug);
  std::uint64_t others = 0;
  const auto is_nobodys = [&](const Finding& finding, const Schedule& schedule) {
    if (!attribution.is_of_nobody(finding, schedule)) return false;
    posted.unarmed.end = SearchEnd::kFound;
    posted.unarmed.kind = finding_kind_name(finding.kind);
    posted.unarmed.title = finding.title;
    return true;
  };
  if (armed == Armed::kAll) {
    const auto is_it = [&](const Finding& finding, const Schedule& schedule) {
      if (is_nobodys(finding, schedule)) return false;
      return attribution.is_of_the_row(finding, schedule) || ++others == kOthersMax;
    };
    posted.shown = search.search(quarry, limits.seed, limits.search, is_it);
    const bool hidden = others == kOthersMax || (others > 0 && !posted.shown.found());
    if (!hidden) return posted;
  }

  quarry.bugs = {};
  quarry.bugs.arm(row.bug);
  posted.shown = search.search(quarry, limits.seed, limits.search,
                               [&](const Finding& finding, const Schedule& schedule) {
                                 return !is_nobodys(finding, schedule);
                               });
  posted.alone = posted.shown.found();
  return posted;
}

}  // namespace racier::repro
