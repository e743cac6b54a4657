// repro/hunt_options.cc - reads what is asked for.  Tested by hunt_options_test.cc.
#include "repro/hunt_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>
#include <thread>

#include "repro/command_line.h"
#include "repro/files.h"
#include "repro/program_changes.h"
#include "stress/words.h"

namespace racier::repro {
namespace {

namespace po = boost::program_options;

constexpr std::uint64_t kJobsMax = 256;

Usage hunt_usage() {
  Usage usage;
  usage.needs_files = false;
  usage.synopsis =
      "racier-repro hunt [all | --bug NAME | --family F | --as-posted PATCH] [options]";
  usage.text =
      "Arms each bug that racier can carry, one at a time, and searches the schedules "
      "of its\n"
      "program until the detector that is meant for it speaks; with nothing armed the "
      "same\n"
      "program must be clean.  What is found is made as small as it can be.  A table "
      "says how\n"
      "soon; Ctrl-C ends it with what there is so far.\n"
      "With --as-posted: all that a patch lacked as it was mailed is armed together, "
      "on "
      "machines\n"
      "of its time and of later times.\n"
      "Exit codes: 0 all found, 1 one was not (or something was with nothing armed), 2 "
      "wrong\n"
      "use or bad file, 3 could not run.\n";
  const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  auto add = usage.options.add_options();
  add("bug", po::value<std::vector<std::string>>()->composing(),
      "hunt for this one, by name or id; may be given again");
  add("family", po::value<std::string>(),
      "hunt for those of a family (lifetime: also lifetime-rcu)");
  add("as-posted", po::value<std::string>(),
      ("a patch as it was mailed: " + program::names_as_posted()).c_str());
  add("for", po::value<std::string>()->default_value("30s"), "the time of each search");
  add("executions", po::value<std::string>(), "likewise, in executions; without: any");
  add("strategy", po::value<std::string>()->default_value("portfolio"),
      "who chooses the schedules");
  add("repeat", po::value<std::string>()->default_value("1"),
      "search for each so many times, each from nothing with the next seed");
  add("seed", po::value<std::string>()->default_value("1"), "of the first search");
  add("clean", po::value<std::string>()->default_value("1000"),
      "executions with nothing armed, which must be clean");
  add("minimize", po::value<std::string>()->default_value("10s"),
      "the time to make what was found smaller");
  add("jobs", po::value<std::string>()->default_value(std::to_string(processors)),
      "hunt for so many at once");
  add("json", po::value<std::string>(), "write the results there as JSON");
  add("programs",
      po::value<std::string>()->default_value(RACIER_SOURCE_DIR "/corpus/bugs"),
      "the folder of their programs, NAME.racier");
  add("list", "print the bugs, with machine and origin, and do nothing else");
  return usage;
}

std::chrono::seconds hunt_duration(const CommandLine& line, const char* option) {
  try {
    return stress::duration_option(option, line.get<std::string>(option));
  } catch (const stress::WrongOption& error) {
    throw BadInput(error.what());
  }
}

// Returns whether `family` is the one that is asked for, or a kind of it.
bool is_of_family(std::string_view family, std::string_view asked) {
  const auto alike = [](char one, char other) {
    return std::tolower(static_cast<unsigned char>(one)) ==
           std::tolower(static_cast<unsigned char>(other));
  };
  if (asked.empty() || family.size() < asked.size()) return false;
  if (!std::equal(asked.begin(), asked.end(), family.begin(), alike)) return false;
  if (family.size() == asked.size()) return true;
  return std::isalpha(static_cast<unsigned char>(family[asked.size()])) == 0;
}

std::string family_names() {
  std::set<std::string> families;
  for (const bug::Row& row : bug::rows()) families.insert(row.family);
  std::string names;
  for (const std::string& family : families) {
    names += (names.empty() ? "" : ", ") + family;
  }
  return names;
}

BugSet bugs_of(const CommandLine& line) {
  BugSet bugs;
  for (const std::string& name : line.get<std::vector<std::string>>("bug")) {
    const auto bug = bug::find(name);
    if (!bug) throw BadInput(fmt::format("no bug '{}' (--list has all of them)", name));
    bugs.arm(*bug);
  }
  return bugs;
}

BugSet family_of(const CommandLine& line) {
  const auto& name = line.get<std::string>("family");
  BugSet bugs;
  for (const bug::Row& row : bug::rows()) {
    if (is_of_family(row.family, name)) bugs.arm(row.bug);
  }
  if (bugs.empty()) {
    throw BadInput(fmt::format("no family '{}': {}", name, family_names()));
  }
  return bugs;
}

void choose(const CommandLine& line, HuntOptions& options) {
  if (line.files.size() > 1 || (!line.files.empty() && line.files[0] != "all")) {
    const std::string& word =
        line.files.front() == "all" ? line.files[1] : line.files[0];
    throw BadInput(fmt::format(
        "hunt: expected all, or --bug, --family or --as-posted, not '{}'", word));
  }
  const int ways = (line.files.empty() ? 0 : 1) + (line.has("bug") ? 1 : 0) +
                   (line.has("family") ? 1 : 0) + (line.has("as-posted") ? 1 : 0);
  if (ways > 1) {
    throw BadInput("hunt: expected one of all, --bug, --family and --as-posted");
  }
  std::optional<BugSet> bugs;
  if (line.has("bug")) bugs = bugs_of(line);
  if (line.has("family")) bugs = family_of(line);
  if (line.has("as-posted")) {
    const auto& name = line.get<std::string>("as-posted");
    options.patch = program::find_as_posted(name);
    if (options.patch == nullptr) {
      throw BadInput(
          fmt::format("no patch '{}': {}", name, program::names_as_posted()));
    }
    bugs = options.patch->bugs();
  }
  for (const bug::Row& row : bug::rows()) {
    if (!bugs || bugs->has(row.bug)) options.rows.push_back(&row);
  }
}

}  // namespace

HuntOptions read_hunt_options(const std::vector<std::string>& arguments) {
  const CommandLine line = read_command_line(hunt_usage(), arguments);
  HuntOptions options;
  options.help = line.help;
  if (line.help) return options;
  choose(line, options);
  options.list = line.has("list");
  HuntLimits& limits = options.limits;
  limits.recipe.plain_steps = true;  // where the build has them
  limits.recipe.strategy = strategy_named(line.get<std::string>("strategy"));
  limits.seed = line.number("seed");
  limits.repeat = line.number("repeat", 1, kTimesMax);
  limits.clean = line.number("clean");
  limits.search.time = hunt_duration(line, "for");
  if (line.has("executions")) limits.search.executions = line.number("executions", 1);
  limits.minimize = hunt_duration(line, "minimize");
  options.jobs = line.number("jobs", 1, kJobsMax);
  if (line.has("json")) options.json = line.get<std::string>("json");
  options.programs = line.get<std::string>("programs");
  return options;
}

}  // namespace racier::repro
