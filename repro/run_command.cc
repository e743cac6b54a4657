// repro/run_command.cc - `racier-repro run`: does a program end as it expects to?
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/program/text.h"
#include "repro/command_line.h"
#include "repro/files.h"
#include "repro/program_changes.h"
#include "repro/program_file.h"
#include "repro/replay_text.h"
#include "repro/replayer.h"

namespace racier::repro {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

Usage run_usage() {
  Usage usage;
  usage.synopsis = "racier-repro run [options] FILE...";
  usage.text =
      "Runs each program (text, or a fuzzer's input) with its schedule and says in a "
      "line\n"
      "how it ended.\n"
      "Exit codes: 0 all as expected, 1 a finding, or not as expected, 2 bad file or "
      "wrong\n"
      "use, 3 could not run.\n";
  add_program_changes(usage);
  auto add = usage.options.add_options();
  add("strategy", po::value<std::string>(),
      "use this strategy in the place of the schedule");
  add("seed", po::value<std::string>(),
      "with this seed (strategy random_walk unless one is named)");
  add("repeat", po::value<std::string>()->default_value("1"),
      "run so many times; every run must make the same steps");
  add("fail-alloc", po::value<std::string>(),
      "fail the allocation of this number, counted from 1 over the whole run; N+: and "
      "all behind it");
  add("trace", "print the steps of the last run");
  add("save", po::value<std::string>(),
      "write the finding there, as a program that replays it");
  add("json", po::value<std::string>(), "write the results there as JSON");
  return usage;
}

int repeat_of(const CommandLine& line) {
  return static_cast<int>(line.number("repeat", 1, kTimesMax));
}

// Returns what --fail-alloc asks for: "7" or "7+".
std::optional<FailAlloc> fail_alloc_of(const CommandLine& line) {
  if (!line.has("fail-alloc")) return std::nullopt;
  std::string word = line.get<std::string>("fail-alloc");
  FailAlloc fail;
  fail.onwards = word.ends_with('+');
  if (fail.onwards) word.pop_back();
  const auto nth = program::parse_number(word);
  if (!nth || *nth < 1 || *nth > kTimesMax) {
    throw BadInput(fmt::format(
        "--fail-alloc: expected a number from 1 to {}, with or without a +, not '{}'",
        kTimesMax, line.get<std::string>("fail-alloc")));
  }
  fail.nth = static_cast<std::uint32_t>(*nth);
  return fail;
}

void set_schedule(const CommandLine& line, program::Program& program) {
  if (!line.has("strategy") && !line.has("seed")) return;
  Schedule schedule;
  schedule.plain_steps = true;  // where the build has them
  schedule.strategy = StrategyKind::kRandomWalk;
  if (line.has("strategy")) {
    schedule.strategy = strategy_named(line.get<std::string>("strategy"));
  }
  if (line.has("seed")) schedule.seed = line.number("seed");
  program.schedule = schedule;
}

// A file and what came of it.
struct Row {
  std::string file;
  program::Program program;
  Replay replay;
};

std::string text_of(const Row& row) {
  const Replay& replay = row.replay;
  std::string text = fmt::format("{} {}: {}\n", replay.met() ? "ok" : "FAILED",
                                 row.file, end_text(row.program, replay));
  text += more_problems(replay);
  if (!replay.met()) text += rest_of_detail(replay);
  return text;
}

Json json_of(const Row& row) {
  const Replay& replay = row.replay;
  Json json = {{"file", row.file},
               {"met", replay.met()},
               {"problems", replay.problems},
               {"steps", replay.steps},
               {"missed", replay.missed},
               {"runs", replay.runs},
               {"trace", fmt::format("{:016x}", replay.trace_hash)}};
  if (!replay.finding) return json;
  const Finding& finding = *replay.finding;
  json["finding"] = {{"kind", finding_kind_name(finding.kind)},
                     {"title", finding.title},
                     {"place", place_of(row.program, replay)},
                     {"phase", program::phase_name(replay.phase)},
                     {"detail", finding.detail}};
  return json;
}

Row run_file(const CommandLine& line, const std::string& file) {
  Row row;
  row.file = file;
  row.program = read_program(file).program;
  change_program(line, row.program);
  set_schedule(line, row.program);
  Replayer replayer(row.program);
  if (const auto fail = fail_alloc_of(line)) replayer.fail(*fail);
  row.replay = replayer.run(repeat_of(line));
  if (line.has("trace")) fmt::print("{}", replayer.trace_text());
  fmt::print("{}", text_of(row));
  return row;
}

}  // namespace

int run_command(const std::vector<std::string>& arguments) {
  const CommandLine line = read_command_line(run_usage(), arguments);
  if (line.help) return kClean;
  repeat_of(line);  // wrong use is told before anything runs
  if (line.has("seed")) line.number("seed");
  if (fail_alloc_of(line) && line.has("save")) {
    throw BadInput("--save: a program cannot say --fail-alloc (racier-repro inject)");
  }
  if (line.has("save") && line.files.size() != 1) {
    throw BadInput("--save: expected one file to run");
  }
  bool all_met = true;
  Json results = Json::array();
  for (const std::string& file : line.files) {
    const Row row = run_file(line, file);
    all_met = all_met && row.replay.met();
    results.push_back(json_of(row));
    if (!line.has("save")) continue;
    if (row.replay.finding) {
      save_finding(file, row.program, row.replay, line.get<std::string>("save"));
    } else {
      fmt::print(stderr, "racier-repro: {} is clean, there is nothing to save\n", file);
    }
  }
  if (line.has("json"))
    write_file(line.get<std::string>("json"), results.dump(2) + "\n");
  return all_met ? kClean : kFound;
}

}  // namespace racier::repro
