// repro/search_command.cc - `racier-repro search`: which schedule of a program fails?
//
// Tested by cli_test.sh.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/runtime/strategy.h"
#include "repro/command_line.h"
#include "repro/files.h"
#include "repro/program_changes.h"
#include "repro/program_file.h"
#include "repro/replayer.h"
#include "repro/schedule_of_run.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

Usage search_usage() {
  Usage usage;
  usage.synopsis = "racier-repro search [options] FILE";
  usage.text =
      "Runs a program (text, or a fuzzer's input) under one schedule after another,\n"
      "until one has a finding.  The schedule in the file is not used.\n"
      "Ctrl-C ends it in order.\n"
      "Exit codes: 0 nothing found, 1 a finding, 2 bad file or wrong use, 3 could not "
      "run.\n";
  add_program_changes(usage);
  auto add = usage.options.add_options();
  add("strategy", po::value<std::string>()->default_value("portfolio"),
      "who chooses the schedules");
  add("depth", po::value<std::string>()->default_value("0"),
      "pct: of the bugs it is after; exhaustive: the most preemptions; 0: any");
  add("seed", po::value<std::string>()->default_value("1"), "of the first search");
  add("searches", po::value<std::string>()->default_value("1"),
      "search so many times, each from nothing with the next seed");
  add("executions", po::value<std::string>()->default_value("20000"),
      "give up a search after so many");
  add("save", po::value<std::string>(),
      "write the first finding there, as a program that replays it");
  add("json", po::value<std::string>(), "write the results there as JSON");
  return usage;
}

// What came of one search.
struct Search {
  std::uint64_t seed = 0;
  std::uint64_t executions = 0;  // the one with the finding is the last
  bool exhausted = false;        // the strategy had no other schedule left
  bool stopped = false;          // somebody did not want to wait
  Strategy::Tried tried = Strategy::Tried::kSome;
  Replay replay;  // of the last execution
};

// A line that says how far a search is, on a terminal; elsewhere nothing.
class Progress {
 public:
  ~Progress() { clear(); }
  void show(const Search& search) {
    if (!terminal_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < due_) return;
    due_ = now + kInterval;
    shown_ = true;
    fmt::print("\r\033[Kseed {}: {} executions", search.seed, search.executions);
    std::fflush(stdout);
  }
  void clear() {
    if (shown_) fmt::print("\r\033[K");
    shown_ = false;
  }

 private:
  static constexpr std::chrono::milliseconds kInterval{500};

  const bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
  std::chrono::steady_clock::time_point due_ =
      std::chrono::steady_clock::now() + kInterval;
  bool shown_ = false;
};

class Searcher {
 public:
  Searcher(const program::Program& program, Schedule recipe, std::uint64_t executions)
      : program_(program), recipe_(std::move(recipe)), executions_(executions) {}

  Search search(std::uint64_t seed) {
    Search search;
    search.seed = recipe_.seed = seed;
    runtime_.set_schedule(recipe_);
    while (search.executions < executions_) {
      search.stopped = stress::stop_requested();
      if (search.stopped) break;
      ++search.executions;
      progress_.show(search);
      const program::RunResult& result = runner_.run(program_, runtime_, {});
      if (result.finding) {
        search.replay.finding = result.finding;
        search.replay.phase = result.phase;
        search.replay.steps = result.steps;
        search.replay.schedule = schedule_of_run(result, runtime_);
        break;
      }
      // Seldom, and so that a short search does it too.
      if (std::has_single_bit(search.executions) && !replays()) {
        search.replay = diverged(result);
        break;
      }
      search.exhausted = !runtime_.strategy().next_execution();
      if (runtime_.strategy().diverged()) {
        search.exhausted = false;
        search.replay = diverged(result);
        break;
      }
      if (search.exhausted) break;
    }
    if (search.exhausted) search.tried = runtime_.strategy().tried();
    progress_.clear();
    return search;
  }

 private:
  // Returns whether the last run's schedule does the same whenever it is run.
  bool replays() {
    program::Program again = program_;
    again.schedule = runtime_.recorded();
    const Replay replay = Replayer(again).run(2);
    return !replay.finding || replay.finding->kind != FindingKind::kReplay;
  }

  Replay diverged(const program::RunResult& result) const {
    Replay replay;
    replay.finding.emplace();
    replay.finding->kind = FindingKind::kReplay;
    replay.finding->title = "two runs of one schedule differ";
    replay.phase = result.phase;
    replay.steps = result.steps;
    replay.schedule = schedule_of_run(result, runtime_);
    return replay;
  }

  const program::Program& program_;
  Schedule recipe_;
  std::uint64_t executions_;
  FiberRuntime alone_;
  FiberRuntime runtime_;
  program::Runner runner_{alone_};
  Progress progress_;
};

std::string what_was_tried(const Search& search, int depth) {
  if (search.stopped) return ", then it was stopped";
  if (!search.exhausted) return "";
  switch (search.tried) {
    case Strategy::Tried::kAll:
      return ", and there is no other schedule";
    case Strategy::Tried::kWithinDepth:
      return fmt::format("; every schedule with at most {} preemptions was run", depth);
    case Strategy::Tried::kSome:
      break;
  }
  return ", and the strategy has no other schedule";
}

std::string line_of(const program::Program& program, const Search& search, int depth) {
  std::string text = fmt::format("seed {}: ", search.seed);
  if (search.replay.finding) {
    const Finding& finding = *search.replay.finding;
    return text + fmt::format("execution {}: {} ({}) at {}\n", search.executions,
                              finding.title, finding_kind_name(finding.kind),
                              place_of(program, search.replay));
  }
  return text + fmt::format("nothing in {} executions{}\n", search.executions,
                            what_was_tried(search, depth));
}

// Returns the median of the executions to a finding, counting what found nothing as
// more than all.  Lower of the two middle ones.
std::uint64_t median_of(const std::vector<Search>& searches, std::size_t found) {
  std::vector<std::uint64_t> executions;
  for (const Search& search : searches) {
    if (search.replay.finding) executions.push_back(search.executions);
  }
  std::sort(executions.begin(), executions.end());
  const std::size_t middle = (searches.size() - 1) / 2;
  return middle < found ? executions[middle] : 0;
}

Json json_of(const Search& search) {
  Json json = {{"seed", search.seed},
               {"executions", search.executions},
               {"exhausted", search.tried == Strategy::Tried::kAll},
               {"stopped", search.stopped}};
  if (!search.replay.finding) return json;
  json["finding"] = {{"kind", finding_kind_name(search.replay.finding->kind)},
                     {"title", search.replay.finding->title}};
  return json;
}

Schedule recipe_of(const CommandLine& line) {
  Schedule recipe;
  recipe.plain_steps = true;  // where the build has them
  recipe.strategy = strategy_named(line.get<std::string>("strategy"));
  const std::uint64_t depth = line.number("depth", 0, kDepthMax);
  if (depth != 0 && !has_depth(recipe.strategy)) {
    throw BadInput("--depth: only for pct and exhaustive");
  }
  recipe.depth = static_cast<std::uint8_t>(depth);
  return recipe;
}

}  // namespace

int search_command(const std::vector<std::string>& arguments) {
  const CommandLine line = read_command_line(search_usage(), arguments);
  if (line.help) return kClean;
  if (line.files.size() != 1) throw BadInput("expected one file");
  const std::uint64_t times = line.number("searches", 1, kTimesMax);
  const std::uint64_t seed = line.number("seed");
  const std::uint64_t executions_max = line.number("executions", 1);
  const std::string& file = line.files.front();
  program::Program program = read_program(file).program;
  change_program(line, program);
  const Schedule recipe = recipe_of(line);
  Searcher searcher(program, recipe, executions_max);

  const auto begin = std::chrono::steady_clock::now();
  std::vector<Search> searches;
  std::uint64_t executions = 0;
  std::size_t found = 0;
  stress::catch_stop_signals();
  for (std::uint64_t i = 0; i < times && !stress::stop_requested(); ++i) {
    searches.push_back(searcher.search(seed + i));
    const Search& search = searches.back();
    executions += search.executions;
    fmt::print("{}", line_of(program, search, recipe.depth));
    if (!search.replay.finding) continue;
    if (++found == 1 && line.has("save")) {
      save_finding(file, program, search.replay, line.get<std::string>("save"));
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const std::uint64_t median = median_of(searches, found);
  fmt::print("found by {} searches of {}, median {}; {:.0f} executions/s\n", found,
             searches.size(),
             median == 0 ? "none" : fmt::format("execution {}", median),
             static_cast<double>(executions) / seconds);
  if (line.has("json")) {
    Json results = Json::array();
    for (const Search& search : searches) results.push_back(json_of(search));
    write_file(line.get<std::string>("json"), results.dump(2) + "\n");
  }
  return found == 0 ? kClean : kFound;
}

}  // namespace racier::repro
