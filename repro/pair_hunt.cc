// repro/pair_hunt.cc - see pair_hunt.h.  Tested by pair_hunt_test.cc.
#include "repro/pair_hunt.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "repro/hunt_text.h"
#include "repro/hunter.h"
#include "repro/in_child.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr std::size_t kCellsOfWork = 48;
constexpr std::chrono::hours kLimit{4};  // of a work; a run that hangs ends by itself

// Cells that one child process runs, from `begin` on.
struct Batch {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::vector<Batch> batches_of(const PairMatrix& matrix) {
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < matrix.cells.size(); ++i) {
    const PairCell& cell = matrix.cells[i];
    const bool goes_on = !batches.empty() && i - batches.back().begin < kCellsOfWork &&
                         matrix.cells[i - 1].setup == cell.setup &&
                         matrix.cells[i - 1].machine == cell.machine;
    if (!goes_on) batches.push_back({i, i});
    batches.back().end = i + 1;
  }
  return batches;
}

void run_batch(const PairMatrix& matrix, Batch batch, const PairLimits& limits,
               const ChildProcess::Say& say) {
  PairSearch search;
  for (std::size_t i = batch.begin; i < batch.end; ++i) {
    if (stress::stop_requested() || Clock::now() >= limits.deadline) return;
    const PairCell& cell = matrix.cells[i];
    program::Program program = pair_program(matrix.setups[cell.setup], cell.pair);
    program.machine = matrix.machines[cell.machine].of(program.machine);
    say(json_of(search.search(program, limits)).dump() + "\n");
  }
}

// Takes what a child said of its cells; returns those that are left if it died.
Batch take_results(PairMatrix& matrix, Batch batch, const ChildResult& result) {
  std::istringstream lines(result.said);
  std::size_t at = batch.begin;
  for (std::string line; std::getline(lines, line) && at < batch.end; ++at) {
    matrix.cells[at].result = pair_result_of(Json::parse(line));
  }
  const bool died = !result.death.empty() || result.late;
  if (!died || at == batch.end) return {batch.end, batch.end};
  PairCell& cell = matrix.cells[at];
  program::Program program = pair_program(matrix.setups[cell.setup], cell.pair);
  program.machine = matrix.machines[cell.machine].of(program.machine);
  cell.result.state = PairState::kFinding;
  cell.result.kind = "death";
  cell.result.why = result.late ? "it took too long" : result.death;
  return {at + 1, batch.end};
}

}  // namespace

std::size_t works_of(const PairMatrix& matrix) { return batches_of(matrix).size(); }

void run_pairs(PairMatrix& matrix, std::size_t jobs, const PairLimits& limits,
               const PairHooks& hooks) {
  const auto began = Clock::now();
  std::size_t works = 0;
  for (std::vector<Batch> batches = batches_of(matrix); !batches.empty();) {
    std::vector<Batch> left;
    run_in_children({
        .count = batches.size(),
        .jobs = jobs,
        .limit = kLimit,
        .carry_out =
            [&](std::size_t work, const ChildProcess::Say& say) {
              run_batch(matrix, batches[work], limits, say);
            },
        .begins =
            [&](std::size_t work) {
              const PairCell& cell = matrix.cells[batches[work].begin];
              hooks.begins(works + work,
                           fmt::format("{} ({})", matrix.setups[cell.setup].name,
                                       matrix.machines[cell.machine].name));
            },
        .ended =
            [&](std::size_t work, const ChildResult& result) {
              hooks.ended(works + work);
              const Batch rest = take_results(matrix, batches[work], result);
              if (rest.begin < rest.end) left.push_back(rest);
            },
        .waiting = hooks.waiting,
    });
    works += batches.size();
    std::sort(left.begin(), left.end(),
              [](Batch one, Batch other) { return one.begin < other.begin; });
    batches = stress::stop_requested() ? std::vector<Batch>() : std::move(left);
  }
  matrix.seconds = std::chrono::duration<double>(Clock::now() - began).count();
}

PairQuarry quarry_of(const bug::Row& row, const program::Program& program) {
  PairQuarry quarry;
  quarry.row = &row;
  const std::size_t tasks = program.tasks.size();
  if (program.machine.weak_memory) {
    quarry.apart = "needs weakly ordered memory";
  } else if (tasks != 2) {
    quarry.apart = tasks == 1 ? "needs one task" : fmt::format("needs {} tasks", tasks);
  }
  return quarry;
}

void hunt_in_pairs(PairQuarry& quarry, const program::Program& program,
                   const std::vector<PairSetup>& setups, const PairLimits& limits,
                   const std::function<void(const PairQuarry&)>& tell) {
  const auto began = Clock::now();
  const double before = quarry.seconds;
  const PairMatrix matrix = all_pairs(
      setups, {{"its machine", program.machine.rmap, program.machine.period, false}},
      limits.preemptions);
  PairSearch search;
  const auto wanted = [&](const Finding& finding) {
    return is_shown_by(*quarry.row, finding.kind);
  };
  quarry.hunted = true;
  const std::size_t rounds = limits.preemptions > 1 ? 2 : 1;
  while (quarry.pairs < rounds * matrix.cells.size() && !quarry.found) {
    if (stress::stop_requested() || Clock::now() >= limits.deadline) break;
    const PairCell& cell = matrix.cells[quarry.pairs % matrix.cells.size()];
    PairLimits now = limits;
    if (quarry.pairs++ < matrix.cells.size()) now.preemptions = 1;
    tell(quarry);
    program::Program pair = pair_program(matrix.setups[cell.setup], cell.pair);
    pair.machine = matrix.machines[cell.machine].of(pair.machine);
    pair.bugs.arm(quarry.row->bug);
    const PairResult result = search.search(pair, now, wanted);
    quarry.runs += result.runs;
    quarry.seconds =
        before + std::chrono::duration<double>(Clock::now() - began).count();
    quarry.found = result.state == PairState::kFinding;
    if (!quarry.found) continue;
    quarry.by = cell_title(matrix, cell);
    quarry.why = result.why;
    quarry.program = result.program;
  }
}

Json json_of(const PairQuarry& quarry) {
  Json json = {{"id", quarry.row->id},     {"name", quarry.row->name},
               {"hunted", quarry.hunted},  {"found", quarry.found},
               {"pairs", quarry.pairs},    {"runs", quarry.runs},
               {"seconds", quarry.seconds}};
  if (!quarry.apart.empty()) json["apart"] = quarry.apart;
  if (!quarry.by.empty()) json["by"] = quarry.by;
  if (!quarry.why.empty()) json["why"] = quarry.why;
  if (!quarry.program.empty()) json["program"] = quarry.program;
  return json;
}

void read_quarry(PairQuarry& quarry, const Json& json) {
  quarry.hunted = json.at("hunted");
  quarry.found = json.at("found");
  quarry.pairs = json.at("pairs");
  quarry.runs = json.at("runs");
  quarry.seconds = json.at("seconds");
  quarry.by = json.value("by", "");
  quarry.why = json.value("why", "");
  quarry.program = json.value("program", "");
}

std::string quarries_text(std::span<const PairQuarry> quarries, double seconds) {
  std::vector<std::vector<std::string>> lines = {
      {"", "found by", "pairs", "runs", "s"}};
  std::string missed, apart;
  std::size_t hunted = 0, found = 0;
  for (const PairQuarry& quarry : quarries) {
    const std::string title = fmt::format("{} {}", quarry.row->id, quarry.row->name);
    if (!quarry.hunted) {
      apart +=
          fmt::format("  {}: {}\n", title,
                      quarry.apart.empty() ? "its turn did not come" : quarry.apart);
      continue;
    }
    ++hunted;
    found += quarry.found ? 1 : 0;
    lines.push_back({title, quarry.found ? quarry.by : "NOT FOUND",
                     fmt::format("{}", quarry.pairs), fmt::format("{}", quarry.runs),
                     fmt::format("{:.2f}", quarry.seconds)});
    if (quarry.found) continue;
    missed += fmt::format("  {}{}{}\n", title, quarry.apart.empty() ? "" : ": ",
                          quarry.apart);
    if (!quarry.why.empty()) missed += fmt::format("    {}\n", quarry.why);
  }
  std::string text = text_of_columns(lines, 2);
  if (!missed.empty()) text += "\nNOT FOUND:\n" + missed;
  if (!apart.empty()) text += "\nNot hunted in pairs:\n" + apart;
  return text + fmt::format("\n{} of {} rows found in pairs; {:.0f} s\n", found, hunted,
                            seconds);
}

bool all_found(std::span<const PairQuarry> quarries) {
  return std::all_of(quarries.begin(), quarries.end(), [](const PairQuarry& quarry) {
    return quarry.hunted ? quarry.found : !quarry.apart.empty();
  });
}

}  // namespace racier::repro
