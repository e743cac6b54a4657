// repro/pairs_command.cc - see pairs_command.h.  Tested by cli_test.sh.
#include "repro/pairs_command.h"

#include <algorithm>

#include "repro/command_line.h"
#include "repro/files.h"
#include "repro/hunt_progress.h"
#include "repro/in_child.h"
#include "repro/pair_hunt.h"
#include "repro/pair_svg.h"
#include "repro/program_file.h"
#include "stress/stop_signals.h"
#include "stress/whole_file.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

void write_if(const std::optional<std::string>& file, const std::string& text) {
  if (!file) return;
  const std::string wrong = stress::write_whole(*file, text);
  if (!wrong.empty()) throw CannotRun(wrong);
}

PairLimits limits_of(const PairsAsked& asked) {
  PairLimits limits;
  limits.preemptions = asked.preemptions;
  limits.runs = asked.runs;
  if (asked.time) limits.deadline = Clock::now() + *asked.time;
  return limits;
}

std::vector<PairSetup> setups_of(const PairsAsked& asked) {
  std::vector<PairSetup> setups = read_pair_setups(asked.folder);
  if (asked.setup.empty()) return setups;
  std::erase_if(setups,
                [&](const PairSetup& setup) { return setup.name != asked.setup; });
  if (setups.empty()) {
    throw BadInput(fmt::format("no set-up '{}' in {}", asked.setup, asked.folder));
  }
  return setups;
}

int hunt_all_pairs(const HuntOptions& options) {
  PairMatrix matrix =
      all_pairs(setups_of(*options.pairs), pair_machines_named(options.pairs->machine),
                options.pairs->preemptions);
  HuntProgress progress(works_of(matrix));
  run_pairs(matrix, options.jobs, limits_of(*options.pairs),
            {.begins = [&](std::size_t work,
                           const std::string& what) { progress.begins(work, what); },
             .ended = [&](std::size_t work) { progress.ended(work); },
             .waiting = [&] { progress.show(); }});
  progress.clear();
  fmt::print("{}", matrix_text(matrix, options.pairs->full));
  write_if(options.json, matrix_json(matrix).dump(2) + "\n");
  write_if(options.pairs->svg, matrix_svg(matrix));
  return sum_of(matrix).covered() ? kClean : kFound;
}

// Hunts in child processes; behind a pair that ends one, the next one goes on.
void hunt_to_the_end(PairQuarry quarry, const program::Program& program,
                     const std::vector<PairSetup>& setups, const PairLimits& limits,
                     const ChildProcess::Say& say) {
  for (bool over = false; !over;) {
    ChildProcess child([&](const ChildProcess::Say& tell) {
      PairQuarry hunting = quarry;
      const auto tell_it = [&](const PairQuarry& now) {
        tell(json_of(now).dump() + "\n");
      };
      hunt_in_pairs(hunting, program, setups, limits, tell_it);
      tell_it(hunting);
    });
    while (child.listen()) {
    }
    const ChildResult result = child.result();
    const std::string line = last_line(result.said);
    if (!line.empty()) read_quarry(quarry, Json::parse(line));
    over = result.death.empty() || line.empty() || stress::stop_requested();
  }
  say(json_of(quarry).dump());
}

int hunt_rows_in_pairs(const HuntOptions& options) {
  const std::vector<PairSetup> setups = setups_of(*options.pairs);
  const PairLimits limits = limits_of(*options.pairs);
  std::vector<program::Program> programs;
  std::vector<PairQuarry> quarries;
  std::vector<std::size_t> hunted;
  for (const bug::Row* const row : options.rows) {
    const std::string path = fmt::format("{}/{}.racier", options.programs, row->name);
    programs.push_back(read_program(path).program);
    quarries.push_back(quarry_of(*row, programs.back()));
    const bool named = !options.pairs->all_rows;
    if (named || quarries.back().apart.empty()) hunted.push_back(quarries.size() - 1);
  }
  const auto begin = Clock::now();
  HuntProgress progress(hunted.size());
  run_in_children({
      .count = hunted.size(),
      .jobs = options.jobs,
      .limit = std::chrono::hours(4),
      .carry_out =
          [&](std::size_t work, const ChildProcess::Say& say) {
            hunt_to_the_end(quarries[hunted[work]], programs[hunted[work]], setups,
                            limits, say);
          },
      .begins =
          [&](std::size_t work) {
            progress.begins(work, quarries[hunted[work]].row->name);
          },
      .ended =
          [&](std::size_t work, const ChildResult& result) {
            progress.ended(work);
            PairQuarry& quarry = quarries[hunted[work]];
            if (!result.said.empty()) read_quarry(quarry, Json::parse(result.said));
          },
      .waiting = [&] { progress.show(); },
  });
  progress.clear();
  const double seconds = hunt_seconds(begin);
  fmt::print("{}", quarries_text(quarries, seconds));
  Json json = Json::array();
  for (const PairQuarry& quarry : quarries) json.push_back(json_of(quarry));
  write_if(options.json, json.dump(2) + "\n");
  return all_found(quarries) ? kClean : kFound;
}

}  // namespace

int hunt_pairs(const HuntOptions& options) {
  return options.pairs->armed ? hunt_rows_in_pairs(options) : hunt_all_pairs(options);
}

}  // namespace racier::repro
