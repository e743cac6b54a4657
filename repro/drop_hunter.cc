// repro/drop_hunter.cc - see drop_hunter.h.  Tested by drop_hunter_test.cc.
#include "repro/drop_hunter.h"

#include <algorithm>
#include <chrono>

#include "core/base/random.h"
#include "core/program/mutate.h"
#include "core/program/ops.h"
#include "core/program/print.h"
#include "core/program/runner.h"
#include "core/runtime/fiber_runtime.h"
#include "core/sync/sites.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;

// What each program gets the first time, and the second.
constexpr std::uint64_t kFew = 20;
constexpr std::uint64_t kMore = 200;
// What each changed program gets: most find nothing, however long one looks.
constexpr std::uint64_t kOfMutant = 30;
// The most changed programs that others are made of.
constexpr std::size_t kPool = 64;
constexpr std::uint64_t kChangesMax = 3;
constexpr std::size_t kMutantTasksMax = 4;

// What one task does, two do: each the same, or each a half of it.
void two_tasks_of_one(program::Program& program, Random& random) {
  if (program.tasks.empty() || program.tasks.size() == kMutantTasksMax) return;
  if (random.below(2) == 0) {
    const program::Calls& one = program.tasks[random.below(program.tasks.size())];
    program::Calls twin;
    for (const program::Call& call : one) {
      // Who defines a variable would change the names of all behind it.
      if (!program::op_of(call).defines) twin.push_back(call);
    }
    if (!twin.empty()) program.tasks.push_back(std::move(twin));
    return;
  }
  program::Calls& last = program.tasks.back();
  if (last.size() < 2) return;
  const auto middle =
      last.begin() + static_cast<std::ptrdiff_t>(random.below(last.size() - 1) + 1);
  program::Calls half(middle, last.end());
  last.erase(middle, last.end());
  program.tasks.push_back(std::move(half));
}

// A search that goes round and round.
class DropHunt {
 public:
  DropHunt(const DropPrograms& programs, const KnownSite& site,
           const HuntLimits& limits, const std::function<void(const Dropped&)>& tell)
      : programs_(programs),
        site_(site),
        limits_(limits),
        tell_(tell),
        random_(limits.seed),
        search_(limits.recipe, limits.steps_max) {}

  Dropped hunt() {
    one_round(kFew);
    one_round(kMore);
    while (goes_on()) try_mutant();
    if (found_ && !stress::stop_requested()) {
      dropped_.smallest =
          smallest_of(*found_, signature_, limits_.minimize, limits_.ordered);
      tell_(dropped_);
    }
    return dropped_;
  }

 private:
  // A program that others are made of.
  struct Parent {
    std::size_t of = 0;  // of the programs
    program::Program program;
  };

  void one_round(std::uint64_t executions) {
    std::uint64_t tried = 0;
    for (const std::size_t at : site_.by) {
      if (at >= programs_.whole()) continue;
      if (!goes_on()) return;
      ++tried;
      dropped_.programs = std::max(dropped_.programs, tried);
      search({at, programs_.programs[at]}, executions);
    }
  }

  // Returns a program that comes by, drawn from all of them, or one that was made of
  // one.
  Parent draw_parent() {
    if (!pool_.empty() && random_.below(3) == 0) {
      return pool_[random_.below(pool_.size())];
    }
    // Those whose tasks come by are first.
    const std::size_t most = site_.tasks > 0 ? site_.tasks : site_.by.size();
    const std::size_t at = site_.by[random_.below(most)];
    if (at >= programs_.whole()) return {at, pair_of(at - programs_.whole())};
    return {at, programs_.programs[at]};
  }

  // Returns the side with another one of its set-up.
  program::Program pair_of(std::size_t index) {
    const DropPrograms::Side& side = programs_.sides[index];
    const PairSetup& setup = programs_.setups[side.setup];
    const std::size_t other = random_.below(setup.sides.size());
    program::Program pair =
        pair_program(setup, {std::min(side.side, other), std::max(side.side, other)});
    pair.machine = side.machine;
    return pair;
  }

  // Changes calls and machine; not the schedule, which is searched for.
  void try_mutant() {
    Parent mutant = draw_parent();
    ++dropped_.mutants;
    dropped_.changed = false;
    if (mutant.of < programs_.whole() || random_.below(2) == 0) change(mutant);
    if (search(mutant, kOfMutant)) remember(std::move(mutant));
  }

  void change(Parent& mutant) {
    dropped_.changed = true;
    const MachineOptions machine = mutant.program.machine;
    const program::Program& other =
        programs_.programs[random_.below(programs_.whole())];
    switch (random_.below(8)) {
      case 0:  // what others do, where the site is
        mutant.program = other;
        mutant.program.machine = machine;
        break;
      case 1:
        mutant.program = program::cross(mutant.program, other, random_);
        mutant.program.machine = machine;
        break;
      default:
        break;
    }
    if (random_.below(3) == 0) two_tasks_of_one(mutant.program, random_);
    for (std::uint64_t i = random_.below(kChangesMax) + 1; i > 0; --i) {
      program::mutate_calls(mutant.program, random_);
    }
    mutant.program = without_its_schedule(std::move(mutant.program));
  }

  void remember(Parent mutant) {
    if (pool_.size() < kPool) {
      pool_.push_back(std::move(mutant));
    } else {
      pool_[random_.below(kPool)] = std::move(mutant);
    }
  }

  // Returns whether the program comes by.
  bool search(const Parent& parent, std::uint64_t executions) {
    program::Program program = parent.program;
    program.drops = {site_.name};
    const bool orders =
        site_.name.kind == SiteKind::kBarrier || site_.name.kind == SiteKind::kOrder;
    if (orders) program.machine.weak_memory = true;
    LeftOut left_out(program.drops);
    program::RunOptions options;
    options.sites = &left_out;
    const SearchLimits limits{
        std::min(executions, limits_.search.executions - dropped_.executions),
        limits_.search.time - std::chrono::duration<double>(dropped_.seconds)};
    const SearchResult result = search_.search(
        program, limits_.seed + seed_++, limits,
        [&](const Finding& finding, const Schedule& schedule) {
          return left_out.times() > 0 && is_of_the_site(program, finding, schedule);
        },
        options);
    dropped_.executions += result.executions;
    dropped_.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    dropped_.end = result.end;
    if (result.found()) {
      dropped_.program = parent.of;
      dropped_.kind = result.kind;
      dropped_.title = result.title;
      found_ = std::move(program);
      found_->schedule = search_.schedule();
    }
    if (result.found() || dropped_.seconds - told_ > kTellEach) {
      told_ = dropped_.seconds;
      tell_(dropped_);
    }
    return left_out.times() > 0;
  }

  // With the site in its place the same schedule has to be clean.
  bool is_of_the_site(program::Program program, const Finding& finding,
                      const Schedule& schedule) {
    signature_ = finding.signature();
    program.drops.clear();
    program.schedule = schedule;
    checked_.set_schedule(schedule);
    const program::RunResult& result = checker_.run(program, checked_, {});
    if (!result.finding) return true;
    if (dropped_.anyway.empty()) {
      dropped_.anyway = result.finding->signature();
      dropped_.anyway_program = program::print(program);
    }
    return false;
  }

  // Returns whether nothing was found and there is time left.
  bool goes_on() {
    if (found_) return false;
    if (stress::stop_requested()) {
      dropped_.end = SearchEnd::kStopped;
    } else if (dropped_.executions >= limits_.search.executions) {
      dropped_.end = SearchEnd::kExecutions;
    } else if (dropped_.seconds >= limits_.search.time.count()) {
      dropped_.end = SearchEnd::kTime;
    } else {
      return true;
    }
    return false;
  }

  static constexpr double kTellEach = 0.25;  // seconds

  const DropPrograms& programs_;
  const KnownSite& site_;
  const HuntLimits& limits_;
  const std::function<void(const Dropped&)>& tell_;
  const Clock::time_point begin_ = Clock::now();
  Random random_;
  ScheduleSearch search_;
  FiberRuntime alone_;
  FiberRuntime checked_;
  program::Runner checker_{alone_};
  Dropped dropped_;
  double told_ = 0;
  std::uint64_t seed_ = 0;
  std::vector<Parent> pool_;
  std::optional<program::Program> found_;
  std::string signature_;
};

}  // namespace

// Without what was said of the program, and expected of it, as it was.
void DropPrograms::add(program::Program program, std::string name) {
  program.header.clear();
  for (int list = 0; list < program.lists(); ++list) {
    for (program::Call& call : program.list(list)) {
      call.note.clear();
      call.expected.reset();
    }
  }
  programs.push_back(without_its_schedule(std::move(program)));
  names.push_back(std::move(name));
}

void DropPrograms::add_sides(std::vector<PairSetup> of,
                             std::span<const PairMachine> machines) {
  setups = std::move(of);
  for (std::size_t setup = 0; setup < setups.size(); ++setup) {
    for (std::size_t side = 0; side < setups[setup].sides.size(); ++side) {
      for (const PairMachine& machine : machines) {
        program::Program program = pair_program(setups[setup], {side, side});
        program.tasks.resize(1);
        program.machine = machine.of(program.machine);
        sides.push_back({setup, side, program.machine});
        add(std::move(program), setups[setup].name + " on " + machine.name);
      }
    }
  }
}

Dropped hunt_drop(const DropPrograms& programs, const KnownSite& site,
                  const HuntLimits& limits,
                  const std::function<void(const Dropped&)>& tell) {
  return DropHunt(programs, site, limits, tell).hunt();
}

}  // namespace racier::repro
