// repro/pair_matrix.cc - see pair_matrix.h.  Tested by pair_hunt_test.cc.
#include "repro/pair_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "core/program/ops.h"
#include "repro/hunt_text.h"

namespace racier::repro {
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

PairState state_named(const std::string& name) {
  int state = 0;
  while (name != pair_state_name(static_cast<PairState>(state))) ++state;
  return static_cast<PairState>(state);
}

std::set<std::uint16_t> ops_of(const program::Calls& calls) {
  std::set<std::uint16_t> ops;
  for (const program::Call& call : calls) ops.insert(call.op);
  return ops;
}

Words sum_words(const std::string& name, const PairSum& sum) {
  return {
      name,
      fmt::format("{}", sum.all()),
      fmt::format("{}", sum.of(PairState::kApart)),
      fmt::format("{}", sum.of(PairState::kIncomplete) + sum.of(PairState::kNotRun)),
      fmt::format("{}", sum.of(PairState::kFinding)),
      fmt::format("{}", sum.schedules),
      fmt::format("{:.1f}", sum.seconds)};
}

Json json_of(const PairSum& sum) {
  Json json;
  for (int state = 0; state < kPairStates; ++state) {
    json[pair_state_name(static_cast<PairState>(state))] =
        sum.of(static_cast<PairState>(state));
  }
  json["schedules"] = sum.schedules;
  json["runs"] = sum.runs;
  json["seconds"] = sum.seconds;
  return json;
}

// One letter for what is known of two ops.
char letter_of(const PairSum& sum) {
  if (sum.all() == 0) return ' ';
  if (sum.of(PairState::kFinding) > 0) return 'F';
  if (!sum.covered()) return '!';
  if (sum.of(PairState::kApart) == sum.all()) return '.';
  int digits = 0;
  for (std::uint64_t rest = sum.schedules; rest >= 10; rest /= 10) ++digits;
  return static_cast<char>('0' + std::min(digits, 9));
}

std::string ops_text(const PairMatrix& matrix) {
  const std::vector<OpPair> pairs = op_pairs(matrix);
  const std::size_t ops = program::op_table().size();
  std::string text =
      "\nTwo ops, over all set-ups and machines: so many schedules as a power of ten, "
      ". "
      "no word in common, ! not complete, F finding\n";
  std::string tens = fmt::format("{:26}", ""), ones = tens;
  for (std::size_t op = 0; op < ops; ++op) {
    tens += op % 10 == 0 ? static_cast<char>('0' + op / 10) : ' ';
    ones += static_cast<char>('0' + op % 10);
  }
  text += tens + "\n" + ones + "\n";
  for (std::size_t one = 0; one < ops; ++one) {
    std::string line = fmt::format("{:2} {:22} ", one, program::op_table()[one].name);
    for (std::size_t other = 0; other < ops; ++other) {
      line += letter_of(pairs[one * ops + other].sum);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

// Those that took longest.
std::string heaviest(const PairMatrix& matrix) {
  constexpr std::size_t kShown = 5;
  std::vector<const PairCell*> cells;
  for (const PairCell& cell : matrix.cells) {
    if (cell.result.schedules > 0) cells.push_back(&cell);
  }
  std::stable_sort(cells.begin(), cells.end(),
                   [](const PairCell* one, const PairCell* other) {
                     return one->result.schedules > other->result.schedules;
                   });
  std::string text = "\nMost schedules:\n";
  for (std::size_t i = 0; i < std::min(kShown, cells.size()); ++i) {
    text += fmt::format("  {:8}  {}\n", cells[i]->result.schedules,
                        cell_title(matrix, *cells[i]));
  }
  return cells.empty() ? "" : text;
}

std::string findings_of(const PairMatrix& matrix) {
  std::string text;
  for (const PairCell& cell : matrix.cells) {
    if (cell.result.state != PairState::kFinding) continue;
    text += fmt::format("\nFINDING: {}\n  {}: {}\n{}", cell_title(matrix, cell),
                        cell.result.kind, cell.result.why, cell.result.program);
  }
  return text;
}

std::string incomplete_of(const PairMatrix& matrix) {
  constexpr std::size_t kShown = 20;
  std::string text;
  std::size_t shown = 0;
  for (const PairCell& cell : matrix.cells) {
    if (cell.result.state != PairState::kIncomplete || ++shown > kShown) continue;
    text += fmt::format("  {}: {}\n", cell_title(matrix, cell), cell.result.why);
  }
  if (shown > kShown) text += fmt::format("  and {} more\n", shown - kShown);
  const PairSum sum = sum_of(matrix);
  const std::uint64_t not_run = sum.of(PairState::kNotRun);
  if (not_run > 0) text += fmt::format("  {} whose turn did not come\n", not_run);
  return text.empty() ? "" : "\nNOT COMPLETE:\n" + text;
}

}  // namespace

std::uint64_t PairSum::all() const {
  return std::accumulate(cells.begin(), cells.end(), std::uint64_t{0});
}

bool PairSum::covered() const {
  return of(PairState::kApart) + of(PairState::kClean) == all();
}

void PairSum::add(const PairResult& result) {
  ++cells[static_cast<std::size_t>(result.state)];
  schedules += result.schedules;
  runs += result.runs;
  seconds += result.seconds;
}

PairMatrix all_pairs(std::vector<PairSetup> setups, std::vector<PairMachine> machines,
                     int preemptions) {
  PairMatrix matrix{std::move(setups), std::move(machines), preemptions, {}, 0};
  for (std::size_t setup = 0; setup < matrix.setups.size(); ++setup) {
    for (std::size_t machine = 0; machine < matrix.machines.size(); ++machine) {
      if (matrix.machines[machine].threads_only &&
          !matrix.setups[setup].has_threads()) {
        continue;
      }
      for (std::size_t pair = 0; pair < matrix.setups[setup].pairs(); ++pair) {
        matrix.cells.push_back(
            {setup, machine, nth_pair(matrix.setups[setup], pair), {}});
      }
    }
  }
  return matrix;
}

PairSum sum_of(const PairMatrix& matrix) {
  PairSum sum;
  for (const PairCell& cell : matrix.cells) sum.add(cell.result);
  return sum;
}

std::vector<OpPair> op_pairs(const PairMatrix& matrix) {
  const std::size_t ops = program::op_table().size();
  std::vector<OpPair> pairs(ops * ops);
  for (const PairCell& cell : matrix.cells) {
    const PairSetup& setup = matrix.setups[cell.setup];
    std::set<std::pair<std::size_t, std::size_t>> named;
    for (const std::uint16_t one : ops_of(setup.sides[cell.pair.one])) {
      for (const std::uint16_t other : ops_of(setup.sides[cell.pair.other])) {
        named.insert({one, other});
        named.insert({other, one});
      }
    }
    for (const auto& [one, other] : named) {
      OpPair& pair = pairs[one * ops + other];
      pair.sum.add(cell.result);
      if (pair.why.empty()) pair.why = cell.result.why;
    }
  }
  return pairs;
}

std::string cell_title(const PairMatrix& matrix, const PairCell& cell) {
  const PairSetup& setup = matrix.setups[cell.setup];
  return fmt::format(
      "{} on {}: {} | {}", setup.name, matrix.machines[cell.machine].name,
      side_text(setup, cell.pair.one), side_text(setup, cell.pair.other));
}

std::string matrix_text(const PairMatrix& matrix, bool full) {
  std::vector<PairSum> machines(matrix.machines.size()), setups(matrix.setups.size());
  for (const PairCell& cell : matrix.cells) {
    machines[cell.machine].add(cell.result);
    setups[cell.setup].add(cell.result);
  }
  const Words titles = {
      "", "pairs", "share no word", "not complete", "finding", "schedules", "s"};
  std::vector<Words> lines = {titles};
  for (std::size_t i = 0; i < machines.size(); ++i) {
    lines.push_back(sum_words(matrix.machines[i].name, machines[i]));
  }
  std::string text = text_of_columns(lines, 1) + "\n";
  lines = {titles};
  for (std::size_t i = 0; i < setups.size(); ++i) {
    lines.push_back(sum_words(matrix.setups[i].name, setups[i]));
  }
  text += text_of_columns(lines, 1) + heaviest(matrix);
  if (full) text += ops_text(matrix);
  text += findings_of(matrix) + incomplete_of(matrix);
  const PairSum sum = sum_of(matrix);
  return text +
         fmt::format(
             "\n{}: {} pairs, {} of which share no word, {} findings, {} not complete; "
             "{} "
             "schedules with at most {} preemptions, {} runs, {:.0f} s of a processor, "
             "{:.0f} s\n",
             sum.covered() ? "all schedules were run, and were clean"
             : sum.of(PairState::kFinding) > 0 ? "FINDINGS"
                                               : "NOT COMPLETE",
             sum.all(), sum.of(PairState::kApart), sum.of(PairState::kFinding),
             sum.of(PairState::kIncomplete) + sum.of(PairState::kNotRun), sum.schedules,
             matrix.preemptions, sum.runs, sum.seconds, matrix.seconds);
}

Json json_of(const PairResult& result) {
  Json json = {{"state", pair_state_name(result.state)},
               {"schedules", result.schedules},
               {"runs", result.runs},
               {"words", result.words},
               {"seconds", result.seconds}};
  if (!result.why.empty()) json["why"] = result.why;
  if (!result.kind.empty()) json["kind"] = result.kind;
  if (!result.program.empty()) json["program"] = result.program;
  return json;
}

PairResult pair_result_of(const Json& json) {
  PairResult result;
  result.state = state_named(json.at("state"));
  result.schedules = json.at("schedules");
  result.runs = json.at("runs");
  result.words = json.at("words");
  result.seconds = json.at("seconds");
  result.why = json.value("why", "");
  result.kind = json.value("kind", "");
  result.program = json.value("program", "");
  return result;
}

Json matrix_json(const PairMatrix& matrix) {
  const PairSum sum = sum_of(matrix);
  Json cells = Json::array();
  for (const PairCell& cell : matrix.cells) {
    const PairSetup& setup = matrix.setups[cell.setup];
    Json json = {{"setup", setup.name},
                 {"machine", matrix.machines[cell.machine].name},
                 {"one", side_text(setup, cell.pair.one)},
                 {"other", side_text(setup, cell.pair.other)}};
    json.update(json_of(cell.result));
    cells.push_back(std::move(json));
  }
  return {{"preemptions", matrix.preemptions},
          {"covered", sum.covered()},
          {"sum", json_of(sum)},
          {"wall_seconds", matrix.seconds},
          {"cells", std::move(cells)}};
}

}  // namespace racier::repro
