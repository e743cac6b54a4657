// repro/fuzz_hunter.cc - see fuzz_hunter.h.  Tested by cli_test.sh.
#include "repro/fuzz_hunter.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>

#include "core/program/bytes.h"
#include "repro/files.h"
#include "repro/hunt_progress.h"
#include "repro/program_file.h"
#include "stress/cell.h"
#include "stress/child.h"
#include "stress/stop_signals.h"
#include "stress/whole_file.h"

namespace racier::repro {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// libFuzzer's exit codes; program_fuzz has 2 and 3 for what it was not told rightly.
constexpr int kItFound = 77, kItWasStopped = 72;

// What one run of program_fuzz came to.
struct FuzzRun {
  std::uint64_t executions = 0;
  std::optional<FindingKind> kind;  // of its finding
  std::string title;
  std::string death;  // how it ended, if not in order and with no finding
};

void make_folder(const fs::path& folder) {
  const std::string wrong = stress::prepare_folder(folder);
  if (!wrong.empty()) throw CannotRun(wrong);
}

// Returns the last line that has something in it, or that has `word`.
std::string last_line_with(const std::string& log, const std::string& word) {
  std::string found;
  for (std::size_t at = 0; at < log.size();) {
    const std::size_t end = std::min(log.find('\n', at), log.size());
    const std::string line = log.substr(at, end - at);
    if (!line.empty() && line.find(word) != line.npos) found = line;
    at = end + 1;
  }
  return found;
}

// One search by libFuzzer, in a folder of its own.
class FuzzSearch {
 public:
  FuzzSearch(const Fuzzing& fuzzing, const program::Program& quarry,
             const bug::Row& row, std::uint64_t seed)
      : fuzzing_(fuzzing), row_(row), seed_(seed) {
    folder_ = fuzzing.scratch / fmt::format("{}-{}", row.name, seed);
    for (const char* const name : {"kept", "seeds", "findings"}) {
      make_folder(folder_ / name);
    }
    const auto bytes = program::encode(quarry);
    write_file((folder_ / "seeds/row").string(),
               std::string(bytes.begin(), bytes.end()));
  }
  ~FuzzSearch() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  FuzzSearch(const FuzzSearch&) = delete;
  FuzzSearch& operator=(const FuzzSearch&) = delete;

  SearchResult search(const SearchLimits& limits, Hunted& hunted) {
    const auto begin = Clock::now();
    SearchResult search;
    search.seed = seed_;
    for (std::uint64_t start = 0;; ++start) {
      search.seconds = hunt_seconds(begin);
      if (const auto end = end_of(search, limits)) {
        search.end = *end;
        break;
      }
      const FuzzRun run = fuzz(start, limits.executions - search.executions,
                               limits.time.count() - search.seconds);
      search.executions += run.executions;
      const bool shown =
          run.kind ? is_shown_by(row_, *run.kind) : is_shown_by_death(row_, run.death);
      const std::string kind = run.kind ? finding_kind_name(*run.kind) : "death";
      if (shown) {
        search.end = SearchEnd::kFound;
        search.kind = kind;
        search.title = run.kind ? run.title : run.death;
        break;
      }
      if (!run.kind && run.death.empty()) continue;
      if (hunted.others++ == 0) {
        hunted.other = kind + " | " + (run.kind ? run.title : run.death);
      }
    }
    search.seconds = hunt_seconds(begin);
    return search;
  }

 private:
  std::vector<std::string> command(std::uint64_t start, std::uint64_t executions,
                                   double seconds) const {
    constexpr std::uint64_t kSeeds = 0x7fffffff;
    const std::string findings = (folder_ / "findings").string();
    std::vector<std::string> command = {
        fuzzing_.program.string(), fmt::format("--bug={}", row_.name),
        "--findings=" + findings, "-artifact_prefix=" + findings + "/",
        // (0 is libFuzzer's for any.)
        fmt::format("-seed={}", (seed_ + start * 1'000'003) % kSeeds + 1),
        fmt::format("-max_total_time={:.0f}", std::max(1.0, std::ceil(seconds))),
        "-timeout=25", "-rss_limit_mb=2560", "-print_final_stats=1"};
    if (executions < kSeeds) command.push_back(fmt::format("-runs={}", executions));
    command.push_back((folder_ / "kept").string());  // new inputs go there
    command.push_back((folder_ / "seeds").string());
    return command;
  }

  FuzzRun fuzz(std::uint64_t start, std::uint64_t executions, double seconds) {
    constexpr double kGrace = 30;
    constexpr int kLook = 200;  // milliseconds, for somebody who wants to stop
    const fs::path log = folder_ / "log";
    const auto begin = Clock::now();
    stress::Child child(command(start, executions, seconds), folder_, log);
    while (!child.ended()) {
      pollfd wait{child.poll_fd(), POLLIN, 0};
      ::poll(&wait, 1, kLook);
      if (stress::stop_requested()) child.ask();
      if (hunt_seconds(begin) > seconds + kGrace) child.kill();
    }
    return what_came_of(child.end(), stress::read_whole(log).value_or(""));
  }

  FuzzRun what_came_of(const stress::ChildEnd& end, const std::string& log) {
    FuzzRun run;
    run.executions = stress::work_in_log(stress::Tool::kFuzz, log);
    for (const std::string& file : racier_files((folder_ / "findings").string())) {
      const program::Expectation expected = read_program(file).program.expectation;
      run.kind = expected.finding;
      run.title = expected.title;
    }
    std::error_code ignored;
    fs::remove_all(folder_ / "findings", ignored);
    make_folder(folder_ / "findings");
    const bool in_order = end.signal == 0 && !end.hung &&
                          (end.exit_code == 0 || end.exit_code == kItWasStopped);
    if (run.kind || in_order || end.as_asked()) return run;
    const std::string summary = last_line_with(log, "SUMMARY: ");
    if (end.hung) {
      run.death = "it took too long";
    } else if (end.signal != 0) {
      run.death = fmt::format("signal {}", end.signal);
    } else if (end.exit_code == kItFound || !summary.empty()) {
      run.death = fmt::format("exit code {}, {}", end.exit_code, summary);
    } else {
      throw CannotRun(fmt::format("{}: exit code {}: {}", fuzzing_.program.string(),
                                  end.exit_code, last_line_with(log, "")));
    }
    return run;
  }

  const Fuzzing& fuzzing_;
  const bug::Row& row_;
  const std::uint64_t seed_;
  fs::path folder_;
};

}  // namespace

ScratchFolder::ScratchFolder() {
  std::error_code error;
  std::string name = fs::temp_directory_path(error) / "racier-hunt-XXXXXX";
  if (error || ::mkdtemp(name.data()) == nullptr) {
    throw CannotRun(fmt::format("cannot make the folder {}: {}", name,
                                error ? error.message() : std::strerror(errno)));
  }
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path built_program_fuzz() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path program = self.parent_path().parent_path() / "fuzz/program_fuzz";
  if (error || ::access(program.c_str(), X_OK) != 0) {
    throw CannotRun(fmt::format("no {}: build it, or name another with --program-fuzz",
                                program.string()));
  }
  return program;
}

Hunted hunt_by_libfuzzer(const program::Program& program, const bug::Row& row,
                         const HuntLimits& limits, const Fuzzing& fuzzing,
                         const std::function<void(const Hunted&)>& tell) {
  Hunted hunted;
  hunted.unarmed.end = SearchEnd::kExecutions;
  const program::Program quarry = without_its_schedule(program);
  for (std::uint64_t i = 0; i < limits.repeat && !stress::stop_requested(); ++i) {
    FuzzSearch search(fuzzing, quarry, row, limits.seed + i);
    hunted.searches.push_back(search.search(limits.search, hunted));
    tell(hunted);
  }
  return hunted;
}

}  // namespace racier::repro
