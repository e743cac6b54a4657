// repro/inject_command.cc - `racier-repro inject`: what if an allocation fails?
//
// Tested by cli_test.sh.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/program/inject.h"
#include "repro/command_line.h"
#include "repro/files.h"
#include "repro/long_run.h"
#include "repro/program_changes.h"
#include "repro/program_file.h"
#include "repro/replayer.h"
#include "repro/schedule_of_run.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

Usage inject_usage() {
  Usage usage;
  usage.synopsis = "racier-repro inject [options] FILE...|FOLDER...";
  usage.text =
      "Runs each program with its schedule and its first allocation failing, then its\n"
      "second, and so on until there is none left: each once by itself, and once with\n"
      "all that come behind it.  Only findings count, not what calls give.  Bugs that "
      "a\n"
      "file arms are not armed.  A folder stands for its files *.racier.\n"
      "Ctrl-C ends it in order.\n"
      "Exit codes: 0 nothing found, 1 a finding, 2 bad file or wrong use, 3 could not "
      "run.\n";
  add_program_changes(usage);
  usage.options.add_options()(
      "save", po::value<std::string>(),
      "write the first finding there that a call's fail_nth shows, as a program that "
      "replays it");
  return usage;
}

// Returns the files that were named, those of a folder by name.
std::vector<std::string> files_of(const CommandLine& line) {
  std::vector<std::string> files;
  for (const std::string& name : line.files) {
    std::error_code error;
    if (!fs::is_directory(name, error)) {
      files.push_back(name);
      continue;
    }
    const std::vector<std::string> inside = racier_files(name);
    if (inside.empty()) {
      throw BadInput(fmt::format("{}: expected files *.racier in it", name));
    }
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

Replay replay_of(const program::RunResult& result, const FiberRuntime& runtime) {
  Replay replay;
  replay.finding = result.finding;
  replay.phase = result.phase;
  replay.steps = result.steps;
  replay.schedule = schedule_of_run(result, runtime);
  return replay;
}

// Fails the allocations of one file, and says what came of it.
class Injector {
 public:
  Injector(const CommandLine& line, const std::string& file)
      : line_(line), file_(file), program_(read_program(file).program) {
    program_.bugs = {};
    change_program(line, program_);
  }

  // Returns how many allocations were tried.
  std::uint32_t run() {
    FiberRuntime alone({}, steps_max_of(program_));
    FiberRuntime runtime(program_.schedule, steps_max_of(program_));
    program::Runner runner(alone);
    const auto look = [&](const FailAlloc& fail, const program::RunResult& result) {
      if (result.finding && signatures_.insert(result.finding->signature()).second) {
        tell(fail, result, replay_of(result, runtime));
      }
      return !stress::stop_requested();
    };
    const std::uint32_t tried = program::inject(program_, runner, runtime, {}, look);
    fmt::print("{} {}: {} allocations\n", found() == 0 ? "ok" : "FAILED", file_, tried);
    return tried;
  }

  // How many findings there were that are not alike.
  std::size_t found() const { return signatures_.size(); }

 private:
  void tell(const FailAlloc& fail, const program::RunResult& result,
            const Replay& replay) {
    const std::string number = fmt::format("{}{}", fail.nth, fail.onwards ? "+" : "");
    fmt::print("{}: {} ({}) at {}: run --fail-alloc {}\n", file_, replay.finding->title,
               finding_kind_name(replay.finding->kind), place_of(program_, replay),
               number);
    if (saved_ || !line_.has("save")) return;
    const auto by_itself = program::as_fail_nth(program_, fail, result);
    if (!by_itself) return;
    save_finding(file_, *by_itself, replay, line_.get<std::string>("save"));
    saved_ = true;
  }

  const CommandLine& line_;
  const std::string& file_;
  program::Program program_;
  std::set<std::string> signatures_;
  bool saved_ = false;
};

}  // namespace

int inject_command(const std::vector<std::string>& arguments) {
  const CommandLine line = read_command_line(inject_usage(), arguments);
  if (line.help) return kClean;
  const std::vector<std::string> files = files_of(line);
  if (line.has("save") && files.size() != 1) {
    throw BadInput("--save: expected one file");
  }
  std::uint64_t tried = 0;
  std::size_t found = 0;
  stress::catch_stop_signals();
  for (const std::string& file : files) {
    if (stress::stop_requested()) break;
    Injector injector(line, file);
    tried += injector.run();
    found += injector.found();
  }
  fmt::print(
      "{} allocations of {} programs, each once and with all behind it: "
      "{} findings{}\n",
      tried, files.size(), found,
      stress::stop_requested() ? ", then it was stopped" : "");
  return found == 0 ? kClean : kFound;
}

}  // namespace racier::repro
