// stress/stress_options.cc - reads the command line.  Tested by stress_options_test.cc.
#include "stress/stress_options.h"

#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>
#include <stdexcept>

#include "core/program/machine_keys.h"
#include "stress/duration.h"

namespace racier::stress {
namespace {

namespace po = boost::program_options;

// A value that will not do; says which and why.
struct WrongOption : std::runtime_error {
  WrongOption(const char* option, const std::string& value, const std::string& expected)
      : std::runtime_error(std::string("--") + option + ": expected " + expected + ", not '" +
                           value + "'") {}
};

constexpr const char* kDurationExpected = "a duration like 90s, 10m or 8h";

std::uint64_t number(const char* option, const std::string& word, std::uint64_t min,
                     std::uint64_t max) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  const bool all = end == word.data() + word.size();
  if (error != std::errc() || !all || value < min || value > max) {
    std::string expected = "a number";
    if (max != ~0ull) {
      expected += " from " + std::to_string(min) + " to " + std::to_string(max);
    }
    throw WrongOption(option, word, expected);
  }
  return value;
}

std::string names_of(std::span<const Workload> rows) {
  std::string names;
  for (const Workload& row : rows) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

std::string names_of(std::span<const bug::Row> rows) {
  std::string names;
  for (const bug::Row& row : rows) {
    names += (names.empty() ? "" : ", ") + std::string(row.id) + " " + row.name;
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
  return text;
}

struct Words {
  std::string duration, rounds, round, threads, seed, workload, rmap, jitter, stuck_after;
  std::string findings, json;
  std::vector<std::string> bugs;
};

po::options_description description(Words& words) {
  po::options_description all("options", 88, 50);
  const auto text = [](std::string& to, const char* usual = nullptr) {
    auto* const value = po::value(&to)->value_name("WORD");
    return usual == nullptr ? value : value->default_value(usual);
  };
  all.add_options()
      ("for", text(words.duration), "how long: 90s, 10m, 8h; 0: until it is stopped (60s)")
      ("rounds", text(words.rounds), "how many rounds; without --for no other end")
      ("round", text(words.round), "that round only: once, --rounds times, or --for a time")
      ("threads", text(words.threads, "4"), "threads of a round, 1 to 8")
      ("seed", text(words.seed), "of the programs of all rounds (another one each time)")
      ("workload", text(words.workload, "mixed"), "what the threads do (see --list)")
      ("bug", po::value(&words.bugs)->value_name("NAME"),
       "arm a bug, by name or id (see --list); may be repeated")
      ("rmap", text(words.rmap), "the design of the reverse map")
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
  return all;
}

void set_length(StressOptions& options, const Words& words) {
  if (!words.round.empty()) options.round = number("round", words.round, 0, ~0ull);
  if (!words.rounds.empty()) options.rounds = number("rounds", words.rounds, 1, ~0ull);
  if (!words.duration.empty()) {
    const auto duration = parse_duration(words.duration);
    if (!duration) throw WrongOption("for", words.duration, kDurationExpected);
    options.duration = *duration;
  } else if (options.rounds != 0 || options.round) {
    options.duration = {};
    if (options.rounds == 0) options.rounds = 1;
  }
  const auto stuck_after = parse_duration(words.stuck_after);
  if (!stuck_after || stuck_after->count() == 0) {
    throw WrongOption("stuck-after", words.stuck_after, kDurationExpected);
  }
  options.stuck_after = *stuck_after;
}

StressOptions options_of(const Words& words, std::uint64_t seed) {
  StressOptions options;
  set_length(options, words);
  options.threads = static_cast<int>(
      number("threads", words.threads, 1, program::kProgramTasksMax));
  options.seed = words.seed.empty() ? seed : number("seed", words.seed, 0, ~0ull);
  options.workload = find_workload(words.workload);
  if (options.workload == nullptr) {
    throw WrongOption("workload", words.workload, "one of " + names_of(workloads()));
  }
  for (const std::string& name : words.bugs) {
    const auto bug = bug::find(name);
    if (!bug) throw WrongOption("bug", name, "one of " + names_of(bug::rows()));
    options.bugs.arm(*bug);
  }
  const program::MachineKey& rmap = program::machine_keys().front();
  if (!words.rmap.empty() && !rmap.parse(words.rmap)) {
    throw WrongOption("rmap", words.rmap, rmap.expected());
  }
  options.rmap = words.rmap;
  if (!words.jitter.empty()) {
    options.jitter = static_cast<std::uint32_t>(number("jitter", words.jitter, 0, 1u << 30));
  }
  options.findings = words.findings;
  options.json = words.json;
  return options;
}

std::string help(const po::options_description& all) {
  std::ostringstream text;
  text << "usage: racier-stress [options]\n\n"
          "Runs random programs on real threads, round after round; each round ends in an\n"
          "audit.  Exit codes: 0 clean, 1 finding, 2 wrong use, 3 could not run.\n\n"
       << all;
  return text.str();
}

}  // namespace

ParsedStressOptions parse_stress_options(int argc, const char* const* argv,
                                         std::uint64_t seed) {
  Words words;
  const po::options_description all = description(words);
  constexpr int kStyle =
      po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    po::variables_map map;
    const po::positional_options_description nothing;
    po::store(
        po::command_line_parser(argc, argv).options(all).positional(nothing).style(kStyle).run(),
        map);
    po::notify(map);
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
  if (!options.rmap.empty()) text += " --rmap " + options.rmap;
  if (options.jitter) text += " --jitter " + std::to_string(*options.jitter);
  return text;
}

std::string replay_command(const StressOptions& options, std::uint64_t round) {
  return "racier stress --preset " RACIER_PRESET " " + print_options(options) + " --round " +
         std::to_string(round);
}

}  // namespace racier::stress
