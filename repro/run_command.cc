// repro/run_command.cc - `racier-repro run`: does a program end as it expects to?
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/program/machine_keys.h"
#include "core/program/print.h"
#include "core/rmap/scheme.h"
#include "repro/command_line.h"
#include "repro/files.h"
#include "repro/program_file.h"
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
  auto add = usage.options.add_options();
  add("bug", po::value<std::vector<std::string>>()->composing(),
      "arm this bug as well, by name or id; may be given again");
  add("rmap", po::value<std::string>(), "use this reverse map");
  add("memory", po::value<std::string>(), "strong or weak: use this memory");
  add("strategy", po::value<std::string>(),
      "use this strategy in the place of the schedule");
  add("seed", po::value<std::uint64_t>(),
      "with this seed (strategy random_walk unless one is named)");
  add("repeat", po::value<int>()->default_value(1),
      "run so many times; every run must make the same steps");
  add("trace", "print the steps of the last run");
  add("save", po::value<std::string>(),
      "write the finding there, as a program that replays it");
  add("json", po::value<std::string>(), "write the results there as JSON");
  return usage;
}

template <typename Rows>
std::string names_of(const Rows& rows) {
  std::string names;
  for (const auto& row : rows)
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

void arm_bugs(const CommandLine& line, program::Program& program) {
  if (!line.has("bug")) return;
  for (const std::string& name : line.get<std::vector<std::string>>("bug")) {
    const auto bug = bug::find(name);
    if (!bug) {
      throw BadInput(fmt::format("no bug '{}': {}", name, names_of(bug::rows())));
    }
    program.bugs.arm(*bug);
  }
}

void set_scheme(const CommandLine& line, program::Program& program) {
  if (!line.has("rmap")) return;
  const auto& name = line.get<std::string>("rmap");
  const auto& schemes = rmap::schemes();
  const bool known =
      std::any_of(schemes.begin(), schemes.end(),
                  [&](const auto& scheme) { return name == scheme.name; });
  if (!known) {
    throw BadInput(fmt::format("no reverse map '{}': {}", name, names_of(schemes)));
  }
  program.machine.rmap = name;
}

void set_memory(const CommandLine& line, program::Program& program) {
  if (!line.has("memory")) return;
  const program::MachineKey& key = program::machine_key("memory");
  const auto& name = line.get<std::string>("memory");
  const auto value = key.parse(name);
  if (!value) {
    throw BadInput(fmt::format("no memory '{}': {}", name, key.expected()));
  }
  key.set(program.machine, *value);
}

std::string strategy_names() {
  std::string names;
  for (int i = 0; i < kStrategyKinds; ++i) {
    const auto kind = static_cast<StrategyKind>(i);
    if (kind == StrategyKind::kReplay) continue;
    names += (names.empty() ? "" : ", ") + std::string(strategy_name(kind));
  }
  return names;
}

void set_schedule(const CommandLine& line, program::Program& program) {
  if (!line.has("strategy") && !line.has("seed")) return;
  Schedule schedule;
  schedule.strategy = StrategyKind::kRandomWalk;
  if (line.has("strategy")) {
    const auto& name = line.get<std::string>("strategy");
    const auto kind = find_strategy(name);
    if (!kind || kind == StrategyKind::kReplay) {
      throw BadInput(fmt::format("no strategy '{}': {}", name, strategy_names()));
    }
    schedule.strategy = *kind;
  }
  if (line.has("seed")) schedule.seed = line.get<std::uint64_t>("seed");
  program.schedule = schedule;
}

// A file and what came of it.
struct Row {
  std::string file;
  program::Program program;
  Replay replay;
};

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string line_of(const Row& row) {
  const Replay& replay = row.replay;
  std::string text = replay.met() ? "ok " : "FAILED ";
  text += row.file + ": ";
  if (replay.finding) {
    const Finding& finding = *replay.finding;
    text += fmt::format("{} ({}) at {}", finding.title, finding_kind_name(finding.kind),
                        place_of(row.program, replay));
    if (!finding.detail.empty()) text += ": " + first_line(finding.detail);
  } else {
    text += fmt::format("{}, {} steps",
                        replay.met() ? "clean" : replay.problems.front(), replay.steps);
  }
  if (replay.runs > 1) {
    text +=
        fmt::format(", {} runs alike, trace {:016x}", replay.runs, replay.trace_hash);
  }
  return text + "\n";
}

// What a line has no room for: more problems, the rest of a finding's detail.
std::string more_of(const Row& row) {
  const Replay& replay = row.replay;
  std::string text;
  const bool in_line = !replay.finding && !replay.problems.empty();
  for (std::size_t i = in_line ? 1 : 0; i < replay.problems.size(); ++i) {
    text += "  " + replay.problems[i] + "\n";
  }
  if (!replay.finding || replay.met()) return text;
  std::string_view rest = replay.finding->detail;
  rest.remove_prefix(
      std::min(rest.size(), first_line(replay.finding->detail).size() + 1));
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    text += fmt::format("  {}\n", line);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return text;
}

Json json_of(const Row& row) {
  const Replay& replay = row.replay;
  Json json = {{"file", row.file},
               {"met", replay.met()},
               {"problems", replay.problems},
               {"steps", replay.steps},
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

// Writes the finding as a program, which must show it again.
void save(const Row& row, const std::string& path) {
  const program::Program program = kept(row.program, row.replay);
  Replayer again(program);
  if (!again.run(1).met()) {
    throw CannotRun(fmt::format(
        "{}: the finding does not come again from its own schedule", row.file));
  }
  write_file(path, program::print(program));
}

Row run_file(const CommandLine& line, const std::string& file) {
  Row row;
  row.file = file;
  row.program = read_program(file).program;
  arm_bugs(line, row.program);
  set_scheme(line, row.program);
  set_memory(line, row.program);
  set_schedule(line, row.program);
  Replayer replayer(row.program);
  row.replay = replayer.run(line.get<int>("repeat"));
  if (line.has("trace")) fmt::print("{}", replayer.trace_text());
  fmt::print("{}{}", line_of(row), more_of(row));
  return row;
}

}  // namespace

int run_command(const std::vector<std::string>& arguments) {
  const CommandLine line = read_command_line(run_usage(), arguments);
  if (line.help) return kClean;
  if (line.get<int>("repeat") < 1) throw BadInput("--repeat: expected a number from 1");
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
      save(row, line.get<std::string>("save"));
    } else {
      fmt::print(stderr, "racier-repro: {} is clean, there is nothing to save\n", file);
    }
  }
  if (line.has("json"))
    write_file(line.get<std::string>("json"), results.dump(2) + "\n");
  return all_met ? kClean : kFound;
}

}  // namespace racier::repro
