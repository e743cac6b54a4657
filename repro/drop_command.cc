// repro/drop_command.cc - see drop_command.h.  Tested by cli_test.sh.
#include "repro/drop_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "repro/command_line.h"
#include "repro/drop_text.h"
#include "repro/files.h"
#include "repro/hunt_progress.h"
#include "repro/in_child.h"
#include "repro/not_needed.h"
#include "repro/program_file.h"
#include "stress/whole_file.h"

namespace racier::repro {
namespace {

using Json = nlohmann::ordered_json;

// How often each program is run to see where it comes by.
constexpr std::uint64_t kSurveyed = 10;

std::vector<std::string> files_of(const std::vector<std::string>& folders) {
  std::vector<std::string> files;
  for (const std::string& folder : folders) {
    const std::vector<std::string> inside = racier_files(folder);
    files.insert(files.end(), inside.begin(), inside.end());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) throw BadInput("there is no program *.racier in the folders");
  return files;
}

// The short ones are first.
DropPrograms read_programs(const HuntOptions& options) {
  struct Read {
    program::Program program;
    std::string name;
  };
  std::vector<Read> read;
  for (const std::string& file : files_of(options.drop_programs)) {
    read.push_back({read_program(file).program, std::filesystem::path(file).stem()});
  }
  std::stable_sort(read.begin(), read.end(), [](const Read& one, const Read& other) {
    return one.program.calls() < other.program.calls();
  });
  DropPrograms programs;
  for (Read& each : read) programs.add(std::move(each.program), std::move(each.name));
  programs.add_sides(read_pair_setups(options.setups), pair_machines());
  return programs;
}

// Writes what is left of each program that fails, as a file named like its site.
void save_programs(const std::string& folder, std::span<const SiteHunt> hunts) {
  for (const SiteHunt& hunt : hunts) {
    if (!hunt.dropped || !hunt.dropped->smallest) continue;
    const SiteName& name = hunt.site.name;
    write_file(fmt::format("{}/{}_{}_{}.racier", folder, site_kind_name(name.kind),
                           name.file, name.line),
               hunt.dropped->smallest->text);
  }
}

// Whoever asks about one site wants to see the program.
void show_program(const SiteHunt& hunt) {
  if (!hunt.dropped || !hunt.dropped->smallest) return;
  fmt::print("\n{}", hunt.dropped->smallest->text);
}

// In a child: a program may end the process.
std::vector<KnownSite> survey(const DropPrograms& programs, const Schedule& recipe) {
  constexpr std::chrono::minutes kLimit{30};
  const ChildResult result = run_in_child(
      [&] {
        Json sites = Json::array();
        for (const KnownSite& site :
             survey_sites(programs.programs, recipe, kSurveyed)) {
          sites.push_back(json_of(site));
        }
        return sites.dump();
      },
      std::chrono::steady_clock::now() + kLimit);
  if (!death_of(result).empty()) {
    throw CannotRun("the survey of sites ended: " + death_of(result));
  }
  std::vector<KnownSite> sites;
  for (const Json& site : Json::parse(result.said)) {
    sites.push_back(known_site_of(site));
  }
  return sites;
}

}  // namespace

int hunt_drops(const HuntOptions& options) {
  const DropPrograms programs = read_programs(options);
  Schedule recipe = options.limits.recipe;
  recipe.seed = options.limits.seed;
  const std::vector<KnownSite> sites =
      sites_named(survey(programs, recipe), options.drops);
  if (options.list) {
    fmt::print("{}", list_of_sites(sites));
    return kClean;
  }
  // Before hours are spent on what cannot be kept.
  if (options.save) {
    const std::string wrong = stress::prepare_folder(*options.save);
    if (!wrong.empty()) throw CannotRun(wrong);
  }
  const std::vector<NotNeeded> not_needed = read_not_needed(options.not_needed);
  std::vector<SiteHunt> hunts;
  for (const KnownSite& site : sites) {
    hunts.push_back({site, {}, reason_of(site, not_needed)});
  }
  HuntProgress progress(hunts.size());
  run_in_children({
      .count = hunts.size(),
      .jobs = options.jobs,
      .limit = limit_of(options.limits),
      .carry_out =
          [&](std::size_t work, const ChildProcess::Say& say) {
            hunt_drop(
                programs, hunts[work].site, options.limits,
                [&](const Dropped& dropped) { say(json_of(dropped).dump() + "\n"); });
          },
      .begins =
          [&](std::size_t work) {
            progress.begins(work, site_text(hunts[work].site.name));
          },
      .ended =
          [&](std::size_t work, const ChildResult& result) {
            progress.ended(work);
            const std::string line = last_line(result.said);
            Dropped dropped;
            if (!line.empty()) dropped = dropped_of(Json::parse(line));
            dropped.death = death_of(result);
            hunts[work].dropped = std::move(dropped);
          },
      .waiting = [&] { progress.show(); },
  });
  progress.clear();
  const double seconds = progress.seconds();
  fmt::print("{}", drop_table(hunts, programs.names, seconds));
  if (hunts.size() == 1) show_program(hunts[0]);
  if (options.save) save_programs(*options.save, hunts);
  if (options.json) {
    write_file(*options.json, drop_json(hunts, programs.names, seconds).dump(2) + "\n");
  }
  const bool expected =
      std::all_of(hunts.begin(), hunts.end(),
                  [](const SiteHunt& hunt) { return hunt.as_expected(); });
  return expected ? kClean : kFound;
}

}  // namespace racier::repro
