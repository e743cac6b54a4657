// repro/hunt_command.cc - `racier-repro hunt`: the bugs that racier carries, as its
// benchmark.
//
// Each hunt is in a child process, which may die of it.  Tested by cli_test.sh.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "repro/command_line.h"
#include "repro/drop_command.h"
#include "repro/files.h"
#include "repro/fuzz_hunter.h"
#include "repro/hunt_columns.h"
#include "repro/hunt_options.h"
#include "repro/hunt_progress.h"
#include "repro/hunt_text.h"
#include "repro/in_child.h"
#include "repro/pair_search.h"
#include "repro/pairs_command.h"
#include "repro/posted_text.h"
#include "repro/program_file.h"
#include "repro/thread_hunter.h"
#include "stress/stop_signals.h"
#include "stress/whole_file.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// A patch's own program comes first, where there is one: NAME_PATCH.racier.
std::string path_of(const HuntOptions& options, const bug::Row& row) {
  const std::string path = fmt::format("{}/{}", options.programs, row.name);
  if (options.patch != nullptr) {
    const std::string own = fmt::format("{}_{}.racier", path, options.patch->name);
    if (fs::exists(own)) return own;
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

// What is asked for, with nothing hunted for yet.
std::vector<HuntColumn> columns_of(const HuntOptions& options) {
  HuntColumn column{options.engine, RACIER_PRESET, "", options.limits, {}};
  const auto known = read_known_sizes(RACIER_SOURCE_DIR "/repro/sizes.txt");
  for (const bug::Row* const row : options.rows) {
    column.quarries.push_back({row, {}, known_size_of(row->id, known)});
  }
  std::vector<HuntColumn> columns;
  for (const std::string& machine : options.machines) {
    column.machine = machine;
    columns.push_back(column);
  }
  if (!columns.empty()) return columns;
  if (!options.each_strategy) return {column};
  for (const StrategyKind strategy : searching_strategies()) {
    column.limits.recipe.strategy = strategy;
    columns.push_back(column);
  }
  return columns;
}

// Returns the one that its programs run on, or nullptr: each has its own.
const PairMachine* machine_of(const HuntColumn& column) {
  const auto& all = pair_machines();
  const auto found = std::find_if(all.begin(), all.end(), [&](const PairMachine& one) {
    return one.name == column.machine;
  });
  return found == all.end() ? nullptr : &*found;
}

fs::path program_fuzz_of(const HuntOptions& options) {
  if (options.engine != HuntEngine::kLibfuzzer) return {};
  if (!options.program_fuzz) return built_program_fuzz();
  if (::access(options.program_fuzz->c_str(), X_OK) != 0) {
    throw BadInput(fmt::format("{}: cannot be started: {}", *options.program_fuzz,
                               std::strerror(errno)));
  }
  return fs::absolute(*options.program_fuzz);
}

// Hunts for each row in each column, a line of the table at a time.
int hunt_rows(const HuntOptions& options) {
  const std::vector<program::Program> programs = programs_of(options);
  std::vector<HuntColumn> columns = columns_of(options);
  const fs::path program_fuzz = program_fuzz_of(options);
  std::optional<ScratchFolder> scratch;
  if (options.engine == HuntEngine::kLibfuzzer) scratch.emplace();
  const auto column_of = [&](std::size_t work) -> HuntColumn& {
    return columns[work % columns.size()];
  };
  const auto row_of = [&](std::size_t work) { return work / columns.size(); };
  HuntProgress progress(options.rows.size() * columns.size());
  run_in_children({
      .count = options.rows.size() * columns.size(),
      .jobs = options.jobs,
      .limit = limit_of(options.limits),
      .carry_out =
          [&](std::size_t work, const ChildProcess::Say& say) {
            const auto tell = [&](const Hunted& hunted) {
              say(json_of(hunted).dump() + "\n");
            };
            program::Program program = programs[row_of(work)];
            const bug::Row& row = *options.rows[row_of(work)];
            const HuntLimits& limits = column_of(work).limits;
            if (const PairMachine* const other = machine_of(column_of(work))) {
              program.machine = other->of(program.machine);
            }
            switch (options.engine) {
              case HuntEngine::kSchedules:
                hunt(program, row, limits, tell);
                break;
              case HuntEngine::kThreads:
                hunt_on_threads(program, row, limits, tell);
                break;
              case HuntEngine::kLibfuzzer:
                hunt_by_libfuzzer(program, row, limits, {program_fuzz, scratch->path()},
                                  tell);
                break;
            }
          },
      .begins =
          [&](std::size_t work) {
            progress.begins(work, options.rows[row_of(work)]->name);
          },
      .ended =
          [&](std::size_t work, const ChildResult& result) {
            progress.ended(work);
            const std::string line = last_line(result.said);
            Hunted hunted;
            if (!line.empty()) hunted = hunted_of(Json::parse(line));
            hunted.death = death_of(result);
            column_of(work).quarries[row_of(work)].hunted = std::move(hunted);
            // Who is killed has what there is so far.
            write_json(options, columns_json(columns, progress.seconds()));
          },
      .waiting = [&] { progress.show(); },
  });
  progress.clear();
  const double seconds = progress.seconds();
  if (options.each_strategy || !options.machines.empty()) {
    fmt::print("{}", columns_table(columns, seconds));
    return all_found(columns) ? kClean : kFound;
  }
  const std::vector<Quarry>& quarries = columns.front().quarries;
  fmt::print("{}", hunt_table(quarries, seconds, options.engine));
  const bool expected = std::all_of(
      quarries.begin(), quarries.end(),
      [](const Quarry& quarry) { return quarry.found() && quarry.clean(); });
  return expected ? kClean : kFound;
}

int print_columns(const std::vector<std::string>& files) {
  std::vector<HuntColumn> columns;
  for (const std::string& file : files) {
    for (HuntColumn& column : read_columns(file)) columns.push_back(std::move(column));
  }
  fmt::print("{}", columns_markdown(merged_columns(std::move(columns))));
  return kClean;
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
  if (!options.columns.empty()) return print_columns(options.columns);
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
