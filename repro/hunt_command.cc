// repro/hunt_command.cc - `racier-repro hunt`: the bugs that racier carries, as its
// benchmark.
//
// Each hunt is in a child process, which may die of it.  Tested by cli_test.sh.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "repro/command_line.h"
#include "repro/drop_command.h"
#include "repro/files.h"
#include "repro/hunt_options.h"
#include "repro/hunt_progress.h"
#include "repro/hunt_text.h"
#include "repro/in_child.h"
#include "repro/pairs_command.h"
#include "repro/posted_text.h"
#include "repro/program_file.h"
#include "stress/stop_signals.h"
#include "stress/whole_file.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

// A patch's own program comes first, where there is one: NAME_PATCH.racier.
std::string path_of(const HuntOptions& options, const bug::Row& row) {
  const std::string path = fmt::format("{}/{}", options.programs, row.name);
  if (options.patch != nullptr) {
    const std::string own = fmt::format("{}_{}.racier", path, options.patch->name);
    if (std::filesystem::exists(own)) return own;
  }
  return path + ".racier";
}

std::vector<program::Program> programs_of(const HuntOptions& options) {
  std::vector<program::Program> programs;
  for (const bug::Row* const row : options.rows) {
    programs.push_back(read_program(path_of(options, *row)).program);
  }
  return programs;
}

std::vector<MachineOptions> machines_of(const HuntOptions& options) {
  std::vector<MachineOptions> machines;
  for (const program::Program& program : programs_of(options)) {
    machines.push_back(program.machine);
  }
  return machines;
}

void write_json(const HuntOptions& options, const Json& json) {
  if (!options.json) return;
  const std::string wrong = stress::write_whole(*options.json, json.dump(2) + "\n");
  if (!wrong.empty()) throw CannotRun(wrong);
}

int hunt_rows(const HuntOptions& options) {
  const std::vector<program::Program> programs = programs_of(options);
  std::vector<Quarry> quarries;
  const auto known = read_known_sizes(RACIER_SOURCE_DIR "/repro/sizes.txt");
  for (const bug::Row* const row : options.rows) {
    quarries.push_back({row, {}, known_size_of(row->id, known)});
  }
  HuntProgress progress(quarries.size());
  run_in_children({
      .count = quarries.size(),
      .jobs = options.jobs,
      .limit = limit_of(options.limits),
      .carry_out =
          [&](std::size_t work, const ChildProcess::Say& say) {
            hunt(programs[work], *quarries[work].row, options.limits,
                 [&](const Hunted& hunted) { say(json_of(hunted).dump() + "\n"); });
          },
      .begins =
          [&](std::size_t work) { progress.begins(work, quarries[work].row->name); },
      .ended =
          [&](std::size_t work, const ChildResult& result) {
            progress.ended(work);
            const std::string line = last_line(result.said);
            Hunted hunted;
            if (!line.empty()) hunted = hunted_of(Json::parse(line));
            hunted.death = death_of(result);
            quarries[work].hunted = std::move(hunted);
          },
      .waiting = [&] { progress.show(); },
  });
  progress.clear();
  const double seconds = progress.seconds();
  fmt::print("{}", hunt_table(quarries, seconds));
  write_json(options, hunt_json(quarries, seconds));
  const bool expected = std::all_of(
      quarries.begin(), quarries.end(),
      [](const Quarry& quarry) { return quarry.found() && quarry.clean(); });
  return expected ? kClean : kFound;
}

int hunt_patch(const HuntOptions& options) {
  const std::vector<program::Program> programs = programs_of(options);
  PostedTable table{options.patch, options.rows, periods_of(*options.patch), {}};
  for (std::size_t period = 0; period < table.periods.size(); ++period) {
    for (const bug::Row* const row : table.rows) {
      table.cells.push_back({row, period, {}, ""});
    }
  }
  HuntProgress progress(table.cells.size());
  run_in_children({
      .count = table.cells.size(),
      .jobs = options.jobs,
      .limit = 2 * limit_of(options.limits),
      .carry_out =
          [&](std::size_t work, const ChildProcess::Say& say) {
            const auto hunted = [&](Armed armed) {
              const PostedCell& cell = table.cells[work];
              const Posted posted = hunt_posted(
                  programs[work % programs.size()], *table.patch,
                  table.periods[cell.period], *cell.row, options.limits, armed);
              return json_of(posted).dump() + "\n";
            };
            const ChildResult all =
                run_in_child([&] { return hunted(Armed::kAll); },
                             Clock::now() + limit_of(options.limits));
            say(all.death.empty() ? all.said : hunted(Armed::kAlone));
          },
      .begins =
          [&](std::size_t work) {
            const PostedCell& cell = table.cells[work];
            progress.begins(work, fmt::format("{} ({})", cell.row->id,
                                              table.periods[cell.period].name));
          },
      .ended =
          [&](std::size_t work, const ChildResult& result) {
            progress.ended(work);
            const std::string line = last_line(result.said);
            if (!line.empty()) table.cells[work].posted = posted_of(Json::parse(line));
            table.cells[work].death = death_of(result);
          },
      .waiting = [&] { progress.show(); },
  });
  progress.clear();
  fmt::print("{}", posted_text(table));
  write_json(options, posted_json(table));
  return table.as_expected() ? kClean : kFound;
}

}  // namespace

int hunt_command(const std::vector<std::string>& arguments) {
  const HuntOptions options = read_hunt_options(arguments);
  if (options.help) return kClean;
  if (options.list && options.drops.empty()) {
    fmt::print("{}", list_of_rows(options.rows, machines_of(options)));
    return kClean;
  }
  stress::catch_stop_signals();
  if (!options.drops.empty()) return hunt_drops(options);
  if (options.pairs) return hunt_pairs(options);
  return options.patch == nullptr ? hunt_rows(options) : hunt_patch(options);
}

}  // namespace racier::repro
