// stress/cell.cc - the only list of cells, and their commands.  Tested by cell_test.cc.
#include "stress/cell.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "stress/workload.h"

namespace racier::stress {
namespace {

namespace fs = std::filesystem;

constexpr Cell kCells[] = {
    {"fuzz-asan", Tool::kFuzz, "asan"},
    {"stress-tsan", Tool::kStress, "tsan"},
    {"fuzz-tsan", Tool::kFuzz, "tsan"},
    {"stress-asan", Tool::kStress, "asan"},
};

void add_fuzz(std::vector<std::string>& command, const Job& job, const Places& places,
              const Arming& arming) {
  for (const std::string& bug : arming.bugs) command.push_back("--bug=" + bug);
  if (!arming.rmap.empty()) command.push_back("--rmap=" + arming.rmap);
  const std::string folder = job.folder(places).string() + "/";
  command.push_back("--findings=" + folder);
  command.push_back("-artifact_prefix=" + folder);
  command.push_back(fmt::format("-max_total_time={}", job.seconds));
  command.push_back(fmt::format("-seed={}", job.seed % 0x7fffffff + 1));
  for (const char* flag :
       {"-timeout=25", "-rss_limit_mb=2560", "-max_len=1024", "-print_final_stats=1"}) {
    command.emplace_back(flag);
  }
  // New inputs go to the first folder; the others are only read.
  command.push_back(folder + "corpus");
  command.push_back(places.corpus());
  command.push_back(places.seeds());
}

void add_stress(std::vector<std::string>& command, const Job& job, const Places& places,
                const Arming& arming) {
  constexpr std::array kThreads = {4, 2, 8};
  const Workload& workload = workloads()[job.turn % workloads().size()];
  const int threads = kThreads[job.turn / workloads().size() % kThreads.size()];
  const auto option = [&](const char* name, const std::string& value) {
    command.insert(command.end(), {name, value});
  };
  option("--for", fmt::format("{}s", job.seconds));
  option("--seed", std::to_string(job.seed));
  option("--workload", workload.name);
  option("--threads", std::to_string(threads));
  for (const std::string& bug : arming.bugs) option("--bug", bug);
  if (!arming.rmap.empty()) option("--rmap", arming.rmap);
  option("--findings", job.folder(places).string());
  option("--json", (job.folder(places) / "result.json").string());
}

// Returns the number behind the last `word` in `text`, or 0.
std::uint64_t last_number(std::string_view text, std::string_view word) {
  for (std::size_t at = text.rfind(word); at != text.npos && at != 0;
       at = text.rfind(word, at - 1)) {
    std::string_view rest = text.substr(at + word.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(rest.begin(), rest.end(), number);
    if (error == std::errc()) return number;
  }
  return 0;
}

}  // namespace

std::span<const Cell> cells() { return kCells; }

const Cell* find_cell(std::string_view name) {
  for (const Cell& cell : kCells) {
    if (name == cell.name) return &cell;
  }
  return nullptr;
}

fs::path Places::program(const Cell& cell) const {
  const char* const program =
      cell.tool == Tool::kFuzz ? "fuzz/program_fuzz" : "stress/racier-stress";
  return builds / cell.preset / program;
}

std::string Job::name() const {
  return fmt::format("job-{:06}-{}", number, cell->name);
}

std::vector<std::string> command_of(const Job& job, const Places& places,
                                    const Arming& arming) {
  std::vector<std::string> command = {places.program(*job.cell)};
  if (job.cell->tool == Tool::kFuzz) {
    add_fuzz(command, job, places, arming);
  } else {
    add_stress(command, job, places, arming);
  }
  return command;
}

std::uint64_t work_in_log(Tool tool, std::string_view log) {
  if (tool == Tool::kStress) return last_number(log, "Calls: Total: ");
  return std::max(last_number(log, "stat::number_of_executed_units: "),
                  last_number(log, "\n#"));
}

}  // namespace racier::stress
