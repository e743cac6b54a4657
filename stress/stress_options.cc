// stress/stress_options.cc - reads the command line.  Tested by stress_options_test.cc.
#include "stress/stress_options.h"

#include <sstream>

#include "stress/read_options.h"
#include "stress/words.h"

namespace racier::stress {
namespace {

namespace po = boost::program_options;

std::string names_of(std::span<const Workload> rows) {
  std::string names;
  for (const Workload& row : rows) {
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return names;
}

std::string list() {
  std::string text = "workloads (--workload)\n";
  for (const Workload& row : workloads()) {
    text += std::string("  ") + row.name + ": " + row.sentence + "\n";
  }
  text += "bugs (--bug)\n";
  for (const bug::Row& row : bug::rows()) {
    text += std::string("  ") + row.id + " " + row.name + ": " + row.sentence + "\n";
  }
  text += "patches as posted (--as-posted)\n";
  for (const program::AsPosted& patch : program::patches_as_posted()) {
    text += std::string("  ") + patch.name + ": " + patch.mail + "\n";
  }
  return text;
}

struct Words {
  std::string duration, rounds, round, threads, seed, workload, as_posted, rmap, mmu,
      jitter, stuck_after;
  std::string findings, json;
  std::vector<std::string> bugs;
};

po::options_description description(Words& words) {
  po::options_description all("options", 88, 50);
  const auto text = [](std::string& to, const char* usual = nullptr) {
    auto* const value = po::value(&to)->value_name("WORD");
    return usual == nullptr ? value : value->default_value(usual);
  };
  // clang-format off
  all.add_options()
      ("for", text(words.duration),
       "how long: 90s, 10m, 8h; 0: until it is stopped (60s)")
      ("rounds", text(words.rounds), "how many rounds; without --for no other end")
      ("round", text(words.round),
       "that round only: once, --rounds times, or --for a time")
      ("threads", text(words.threads, "4"), "threads of a round, 1 to 8")
      ("seed", text(words.seed),
       "of the programs of all rounds (another one each time)")
      ("workload", text(words.workload, "mixed"), "what the threads do (see --list)")
      ("bug", po::value(&words.bugs)->value_name("NAME"),
       "arm a bug, by name or id (see --list); may be repeated")
      ("as-posted", text(words.as_posted),
       "a patch as it was mailed, bugs and all (see --list)")
      ("rmap", text(words.rmap), "the design of the reverse map")
      ("mmu", text(words.mmu, "soft"), "soft, or host: user accesses go through its MMU")
      ("jitter", text(words.jitter),
       "about one step in so many dawdles; 0: none does (another one each round)")
      ("stuck-after", text(words.stuck_after, "20s"),
       "how long no call may end before a round counts as stuck")
      ("findings", text(words.findings, "."), "the folder for programs that failed")
      ("json", text(words.json), "the file for the result")
      ("abort", "stop at the first finding")
      ("print", "print the program of --round, run nothing")
      ("list", "list workloads and bugs")
      ("help", "this text");
  // clang-format on
  return all;
}

void set_length(StressOptions& options, const Words& words) {
  if (!words.round.empty()) {
    options.round = number_option("round", words.round, 0, ~0ull);
  }
  if (!words.rounds.empty()) {
    options.rounds = number_option("rounds", words.rounds, 1, ~0ull);
  }
  if (!words.duration.empty()) {
    options.duration = duration_option("for", words.duration);
  } else if (options.rounds != 0 || options.round) {
    options.duration = {};
    if (options.rounds == 0) options.rounds = 1;
  }
  options.stuck_after = duration_option("stuck-after", words.stuck_after);
  if (options.stuck_after.count() == 0) {
    throw WrongOption("stuck-after", words.stuck_after, "a duration above 0");
  }
}

StressOptions options_of(const Words& words, std::uint64_t seed) {
  StressOptions options;
  set_length(options, words);
  options.threads = static_cast<int>(
      number_option("threads", words.threads, 1, program::kProgramTasksMax));
  options.seed =
      words.seed.empty() ? seed : number_option("seed", words.seed, 0, ~0ull);
  options.workload = find_workload(words.workload);
  if (options.workload == nullptr) {
    throw WrongOption("workload", words.workload, "one of " + names_of(workloads()));
  }
  for (const std::string& name : words.bugs) options.bugs.arm(bug_option(name));
  if (!words.as_posted.empty()) {
    options.patch = program::find_as_posted(words.as_posted);
    if (options.patch == nullptr) {
      throw WrongOption("as-posted", words.as_posted,
                        "one of " + program::names_as_posted());
    }
  }
  options.rmap = rmap_option(words.rmap);
  options.host_mmu = mmu_option(words.mmu);
  if (!words.jitter.empty()) {
    options.jitter =
        static_cast<std::uint32_t>(number_option("jitter", words.jitter, 0, 1u << 30));
  }
  options.findings = words.findings;
  options.json = words.json;
  return options;
}

std::string help(const po::options_description& all) {
  std::ostringstream text;
  text << "usage: racier-stress [options]\n\n"
          "Runs random programs on real threads, round after round; each round ends\n"
          "in an audit.\n"
          "Exit codes: 0 clean, 1 finding, 2 wrong use, 3 could not run.\n\n"
       << all;
  return text.str();
}

}  // namespace

ParsedStressOptions parse_stress_options(int argc, const char* const* argv,
                                         std::uint64_t seed) {
  Words words;
  const po::options_description all = description(words);
  try {
    const po::variables_map map = read_options(all, argc, argv);
    if (map.count("help") != 0) return {{}, 0, help(all)};
    if (map.count("list") != 0) return {{}, 0, list()};
    ParsedStressOptions parsed;
    parsed.options = options_of(words, seed);
    parsed.options.abort = map.count("abort") != 0;
    parsed.options.print = map.count("print") != 0;
    if (parsed.options.print && (!parsed.options.round || words.seed.empty())) {
      return {{}, 2, "racier-stress: --print needs --seed and --round\n"};
    }
    return parsed;
  } catch (const std::exception& error) {
    return {{}, 2, std::string("racier-stress: ") + error.what() + " (--help)\n"};
  }
}

std::string print_options(const StressOptions& options) {
  std::string text = "--seed " + std::to_string(options.seed);
  text += std::string(" --workload ") + options.workload->name;
  text += " --threads " + std::to_string(options.threads);
  for (const bug::Row& row : bug::rows()) {
    if (options.bugs.has(row.bug)) text += std::string(" --bug ") + row.name;
  }
  if (options.patch != nullptr) {
    text += std::string(" --as-posted ") + options.patch->name;
  }
  if (!options.rmap.empty()) text += " --rmap " + options.rmap;
  if (options.host_mmu) text += " --mmu host";
  if (options.jitter) text += " --jitter " + std::to_string(*options.jitter);
  return text;
}

std::string replay_command(const StressOptions& options, std::uint64_t round) {
  return "racier stress --preset " RACIER_PRESET " " + print_options(options) +
         " --round " + std::to_string(round);
}

}  // namespace racier::stress
