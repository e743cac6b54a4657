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
#include "repro/pair_search.h"
#include "repro/program_changes.h"
#include "stress/words.h"

namespace racier::repro {
namespace {

namespace po = boost::program_options;

constexpr std::uint64_t kJobsMax = 256;
// Some seconds for the fewest preemptions.
constexpr std::uint64_t kOrdered = 200'000;

Usage hunt_usage() {
  Usage usage;
  usage.needs_files = false;
  usage.synopsis =
      "racier-repro hunt [all | --bug NAME | --family F | --as-posted PATCH | --drop "
      "SITE] [options]\n"
      "       racier-repro hunt --pairs [--bug NAME | --bug all] [options]\n"
      "       racier-repro hunt --columns FILE.json...";
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
      "With --drop: a lock, a reference, a look, a barrier, a flush or a wait for "
      "readers is left\n"
      "out, of which no bug was made, and all programs of the corpus that come by are "
      "searched\n"
      "until anything is found: is it needed?\n"
      "With --pairs: each two ops of small set-ups side by side, on each design, under "
      "every\n"
      "schedule with few preemptions, nothing armed; with --bug: until they find that "
      "one.\n"
      "With --strategy all: each strategy alone, side by side.  With --engine: plain "
      "threads, or\n"
      "libFuzzer.  With --columns: a table in Markdown of what --json has kept of all "
      "these.\n"
      "Exit codes: 0 all found, 1 one was not (or something was with nothing armed), 2 "
      "wrong\n"
      "use or bad file, 3 could not run.\n";
  const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  auto add = usage.options.add_options();
  add("bug", po::value<std::vector<std::string>>()->composing(),
      "hunt for this one, by name or id; may be given again; with --pairs: or all");
  add("family", po::value<std::string>(),
      "hunt for those of a family (lifetime: also lifetime-rcu)");
  add("as-posted", po::value<std::string>(),
      ("a patch as it was mailed: " + program::names_as_posted()).c_str());
  add("drop", po::value<std::vector<std::string>>()->composing(),
      "a site to leave out: all, a kind (lock, reference, recheck, barrier, "
      "order, flush, grace), a file (munmap.cc), a place (munmap.cc:197); each by "
      "itself; may be "
      "given again");
  add("save", po::value<std::string>(),
      "with --drop: a folder for the smallest programs that fail without the sites");
  add("for", po::value<std::string>(),
      "the time of each search (30s); with --pairs: of all (what it takes)");
  add("executions", po::value<std::string>(),
      "likewise, in executions; without: any; with --pairs: of a pair (2000000)");
  add("pairs", "all pairs of ops");
  add("preemptions", po::value<std::string>()->default_value("2"),
      "with --pairs: the most of a schedule");
  add("setups",
      po::value<std::string>()->default_value(RACIER_SOURCE_DIR "/corpus/pairs"),
      "with --pairs: the folder of the set-ups");
  add("setup", po::value<std::string>()->default_value(""),
      "with --pairs: this set-up only");
  add("machine", po::value<std::string>()->default_value(""),
      "a machine of --pairs: the rows on that one instead of their own (all: on each "
      "in "
      "turn); with --pairs: on this one only");
  add("full", "with --pairs: print what is known of each two ops");
  add("svg", po::value<std::string>(), "with --pairs: write a heat map there");
  add("strategy", po::value<std::string>()->default_value("portfolio"),
      "who chooses the schedules; all: each alone, at most 20000 executions unless "
      "named");
  add("engine", po::value<std::string>()->default_value("schedules"),
      "who looks for bugs: schedules (a strategy), threads (of the host, for which "
      "asan and tsan builds are meant), libfuzzer (program_fuzz, with feedback)");
  add("program-fuzz", po::value<std::string>(),
      "with --engine libfuzzer: this one (that of the same build)");
  add("columns", "print what is in files that --json wrote as one table");
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
  add("programs", po::value<std::string>(),
      "the folder of their programs, NAME.racier (corpus/bugs; with --drop all of "
      "corpus)");
  add("list",
      "print the bugs, with machine and origin, or with --drop the sites, and do "
      "nothing else");
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
    if (name == "all" && line.has("pairs")) {
      for (const bug::Row& row : bug::rows()) bugs.arm(row.bug);
      continue;
    }
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
        "hunt: expected all, or --bug, --family, --as-posted or --drop, not '{}'",
        word));
  }
  const int ways = (line.files.empty() ? 0 : 1) + (line.has("bug") ? 1 : 0) +
                   (line.has("family") ? 1 : 0) + (line.has("as-posted") ? 1 : 0) +
                   (line.has("drop") ? 1 : 0);
  if (ways > 1) {
    throw BadInput(
        "hunt: expected one of all, --bug, --family, --as-posted and --drop");
  }
  if (line.has("drop")) options.drops = line.get<std::vector<std::string>>("drop");
  if (line.has("save") && options.drops.empty()) {
    throw BadInput("hunt: --save is for --drop");
  }
  if (line.has("save")) options.save = line.get<std::string>("save");
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

// Returns whether somebody said it.
bool says(const CommandLine& line, const char* option) {
  return line.has(option) && !line.options[option].defaulted();
}

// Reads who looks for the bugs.
void choose_engine(const CommandLine& line, HuntOptions& options) {
  constexpr std::uint64_t kExecutions = 20'000;
  options.engine = hunt_engine_named(line.get<std::string>("engine"));
  const std::string& strategy = line.get<std::string>("strategy");
  const bool schedules = options.engine == HuntEngine::kSchedules;
  options.each_strategy = schedules && strategy == "all";
  if (!schedules && says(line, "strategy")) {
    throw BadInput("hunt: --strategy is for --engine schedules");
  }
  if (!options.each_strategy) {
    options.limits.recipe.strategy = strategy_named(strategy);
  }
  if (line.has("program-fuzz")) {
    if (options.engine != HuntEngine::kLibfuzzer) {
      throw BadInput("hunt: --program-fuzz is for --engine libfuzzer");
    }
    options.program_fuzz = line.get<std::string>("program-fuzz");
  }
  if (schedules && !options.each_strategy) return;
  for (const char* const other : {"pairs", "drop", "as-posted", "minimize"}) {
    if (!says(line, other)) continue;
    throw BadInput(
        fmt::format("hunt: --{} is not for --strategy all, nor for --engine", other));
  }
  if (options.engine != HuntEngine::kThreads && says(line, "clean")) {
    throw BadInput("hunt: --clean is for one strategy, or for --engine threads");
  }
  HuntLimits& limits = options.limits;
  limits.minimize = {};
  if (options.engine != HuntEngine::kThreads) limits.clean = 0;
  const bool limited = says(line, "executions");
  if (options.each_strategy && !limited) limits.search.executions = kExecutions;
  // Threads need processors of their own.
  if (options.engine == HuntEngine::kThreads && !says(line, "jobs")) {
    options.jobs = std::max<std::size_t>(1, options.jobs / 2);
  }
}

// Reads on which machines, if not on those of their programs.
void choose_machines(const CommandLine& line, HuntOptions& options) {
  constexpr std::uint64_t kExecutions = 5'000, kClean = 300;
  const std::string& name = line.get<std::string>("machine");
  if (name.empty() || line.has("pairs")) return;
  for (const char* const other : {"drop", "as-posted", "minimize"}) {
    if (!says(line, other)) continue;
    throw BadInput(fmt::format("hunt: --{} is not for --machine", other));
  }
  if (options.engine != HuntEngine::kSchedules || options.each_strategy) {
    throw BadInput("hunt: --machine is for one strategy");
  }
  for (const PairMachine& machine : pair_machines_named(name)) {
    options.machines.push_back(machine.name);
  }
  HuntLimits& limits = options.limits;
  limits.minimize = {};
  if (!says(line, "clean")) limits.clean = kClean;
  if (!says(line, "executions")) limits.search.executions = kExecutions;
}

bool names_all(const CommandLine& line) {
  if (!line.has("bug")) return false;
  const auto& names = line.get<std::vector<std::string>>("bug");
  return std::find(names.begin(), names.end(), "all") != names.end();
}

PairsAsked pairs_of(const CommandLine& line) {
  constexpr std::uint64_t kRuns = 2'000'000, kPreemptionsMax = 5;
  const bool other = line.has("as-posted") || line.has("drop") || line.has("list");
  if (!line.files.empty() || other) {
    throw BadInput("hunt: with --pairs, expected --bug or --family or neither");
  }
  PairsAsked asked;
  asked.armed = line.has("bug") || line.has("family");
  asked.all_rows = names_all(line);
  asked.full = line.has("full");
  asked.preemptions = static_cast<int>(line.number("preemptions", 1, kPreemptionsMax));
  asked.runs = line.has("executions") ? line.number("executions", 1) : kRuns;
  if (line.has("for")) asked.time = hunt_duration(line, "for");
  if (line.has("svg")) asked.svg = line.get<std::string>("svg");
  if (asked.svg && asked.armed) throw BadInput("hunt: --svg is of pairs without --bug");
  asked.folder = line.get<std::string>("setups");
  asked.setup = line.get<std::string>("setup");
  asked.machine = line.get<std::string>("machine");
  return asked;
}

}  // namespace

HuntOptions read_hunt_options(const std::vector<std::string>& arguments) {
  const CommandLine line = read_command_line(hunt_usage(), arguments);
  HuntOptions options;
  options.help = line.help;
  if (line.help) return options;
  if (line.has("columns")) {
    options.columns = line.files;
    if (line.files.empty()) throw BadInput("hunt: --columns: expected files");
    return options;
  }
  choose(line, options);
  options.list = line.has("list");
  HuntLimits& limits = options.limits;
  limits.recipe.plain_steps = true;  // where the build has them
  limits.seed = line.number("seed");
  limits.repeat = line.number("repeat", 1, kTimesMax);
  limits.clean = line.number("clean");
  limits.search.time = std::chrono::seconds(30);
  if (line.has("for")) limits.search.time = hunt_duration(line, "for");
  if (line.has("executions")) limits.search.executions = line.number("executions", 1);
  limits.minimize = hunt_duration(line, "minimize");
  limits.ordered = kOrdered;
  options.jobs = line.number("jobs", 1, kJobsMax);
  choose_engine(line, options);
  choose_machines(line, options);
  if (line.has("json")) options.json = line.get<std::string>("json");
  options.programs = RACIER_SOURCE_DIR "/corpus/bugs";
  options.setups = line.get<std::string>("setups");
  options.not_needed = RACIER_SOURCE_DIR "/repro/not_needed.txt";
  options.drop_programs = {RACIER_SOURCE_DIR "/corpus/programs",
                           RACIER_SOURCE_DIR "/corpus/bugs",
                           RACIER_SOURCE_DIR "/corpus/found"};
  if (line.has("programs")) {
    options.programs = line.get<std::string>("programs");
    options.drop_programs = {options.programs};
  }
  if (line.has("pairs")) {
    options.pairs = pairs_of(line);
  } else if (line.has("svg") || line.has("full")) {
    throw BadInput("hunt: --svg and --full go with --pairs");
  }
  return options;
}

}  // namespace racier::repro
