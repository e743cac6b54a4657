// repro/minimize_command.cc - `racier-repro minimize`: the shortest story of a finding.
//
// Tested by cli_test.sh.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/program/parse.h"
#include "core/program/print.h"
#include "repro/child_probe.h"
#include "repro/command_line.h"
#include "repro/files.h"
#include "repro/in_child.h"
#include "repro/minimizer.h"
#include "repro/program_changes.h"
#include "repro/program_file.h"
#include "stress/duration.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

namespace po = boost::program_options;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

Usage minimize_usage() {
  Usage usage;
  usage.synopsis = "racier-repro minimize [options] FILE";
  usage.text =
      "Makes a program (text, or a fuzzer's input) smaller as long as it shows the "
      "same\n"
      "finding: tasks, calls, arguments, options of the machine, switches of the "
      "schedule.\n"
      "If its own schedule shows nothing, one is searched for first.  The smallest so "
      "far is\n"
      "always in the output file; Ctrl-C ends it in order.\n"
      "Exit codes: 0 written, 1 there is no finding, 2 bad file or wrong use, 3 could "
      "not run.\n";
  add_program_changes(usage);
  auto add = usage.options.add_options();
  add("output", po::value<std::string>(),
      "write the program there; else to FILE, its ending changed to .min.racier");
  add("signature", po::value<std::string>(),
      "of the finding that is meant (`KIND | TITLE`), if there are several");
  add("for", po::value<std::string>(),
      "stop after this time (8s; 50s where candidates need processes of their own)");
  add("executions", po::value<std::string>()->default_value("20000"),
      "schedules to look for a finding under, if its own shows none");
  return usage;
}

// How long it may take from the beginning.
struct Times {
  Clock::duration quick;   // all candidates in one process
  Clock::duration gentle;  // each in its own
};

Times times_of(const CommandLine& line) {
  if (!line.has("for")) return {std::chrono::seconds(8), std::chrono::seconds(50)};
  const auto time = stress::parse_duration(line.get<std::string>("for"));
  if (!time) throw BadInput("--for: expected a duration, like 90s or 10m");
  return {*time, *time};
}

std::string output_of(const CommandLine& line, const std::string& file) {
  if (line.has("output")) return line.get<std::string>("output");
  constexpr std::string_view kEnding = ".racier";
  const bool text = file.ends_with(kEnding);
  return (text ? file.substr(0, file.size() - kEnding.size()) : file) + ".min.racier";
}

// What a program does, in a child that may die of it.
struct First {
  program::Program program;  // with a schedule that shows the finding
  ChildProbe::Target target;
  bool found = false;
};

First look_at(const program::Program& program, const std::string& signature,
              std::uint64_t executions, Clock::time_point deadline) {
  const ChildResult result = run_in_child(
      [&] {
        ProcessProbe probe(signature);
        program::Program shown = program;
        if (!probe.shows(shown, executions)) return std::string();
        return Json{{"signature", probe.shown()}, {"program", program::print(shown)}}
            .dump();
      },
      deadline);
  First first;
  first.program = program;
  first.target.death = result.death;
  first.found = !result.late && (!result.death.empty() || !result.said.empty());
  if (!first.found || !result.death.empty()) return first;
  const Json said = Json::parse(result.said);
  first.target.signature = said["signature"];
  first.program = *program::parse(said["program"].get<std::string>()).program;
  return first;
}

bool is_over(Clock::time_point deadline) {
  return stress::stop_requested() || Clock::now() >= deadline;
}

// How far it came.
struct Outcome {
  Minimized count;
  program::Program program;
};

Outcome minimize_with(Probe& probe, const program::Program& program,
                      const std::string& output, Clock::time_point deadline) {
  const Minimizer::Hooks hooks{
      .stop = [deadline] { return is_over(deadline); },
      .is_smaller =
          [&](const program::Program& best) {
            write_file(output, program::print(best));
          },
  };
  constexpr std::uint64_t kOrdered = 1'000'000;  // as far as the time goes
  Minimizer minimizer(program, probe, hooks, kOrdered);
  Outcome outcome;
  outcome.count = minimizer.minimize();
  outcome.program = minimizer.program();
  return outcome;
}

// In one child, which may die of a candidate: nothing then.
std::optional<Outcome> minimize_quickly(const First& first, const std::string& output,
                                        Clock::time_point deadline) {
  constexpr std::chrono::seconds kGrace{10};  // to end in order
  const ChildResult result = run_in_child(
      [&] {
        ProcessProbe probe(first.target.signature,
                           [deadline] { return is_over(deadline); });
        const Outcome outcome = minimize_with(probe, first.program, output, deadline);
        return Json{{"candidates", outcome.count.candidates},
                    {"kept", outcome.count.kept},
                    {"stopped", outcome.count.stopped}}
            .dump();
      },
      deadline + kGrace);
  if (result.late || !result.death.empty()) {
    fmt::print("  a candidate {} ({}): each gets a process of its own from here on\n",
               result.late ? "did not end" : "ended the process", result.death);
    return std::nullopt;
  }
  const Json said = Json::parse(result.said);
  Outcome outcome;
  outcome.count = {said["candidates"], said["kept"], said["stopped"]};
  outcome.program = read_program(output).program;
  return outcome;
}

Outcome minimize(const First& first, const std::string& output, Clock::time_point begin,
                 const Times& times) {
  program::Program best = first.program;
  if (first.target.death.empty()) {
    const auto outcome = minimize_quickly(first, output, begin + times.quick);
    if (outcome) return *outcome;
    best = read_program(output).program;
  }
  constexpr std::chrono::seconds kLimit{20};
  ChildProbe probe(first.target, kLimit);
  return minimize_with(probe, best, output, begin + times.gentle);
}

}  // namespace

int minimize_command(const std::vector<std::string>& arguments) {
  const CommandLine line = read_command_line(minimize_usage(), arguments);
  if (line.help) return kClean;
  if (line.files.size() != 1) throw BadInput("expected one file");
  const Times times = times_of(line);
  const std::uint64_t executions = line.number("executions");
  const std::string signature =
      line.has("signature") ? line.get<std::string>("signature") : "";
  const std::string& file = line.files.front();
  const std::string output = output_of(line, file);
  program::Program program = read_program(file).program;
  change_program(line, program);

  stress::catch_stop_signals();
  constexpr std::chrono::seconds kLookMin{60};
  const Clock::time_point begin = Clock::now();
  const First first =
      look_at(program, signature, executions,
              begin + std::max<Clock::duration>(times.gentle, kLookMin));
  if (!first.found) {
    fmt::print("{}: no {}finding under its schedule, nor under {} others\n", file,
               signature.empty() ? "" : "such ", executions);
    return kFound;
  }
  const std::string& what =
      first.target.death.empty() ? first.target.signature : first.target.death;
  fmt::print("{}: {}\n  {}\n", file, what, sizes_of(first.program));
  write_file(output, program::print(first.program));
  const Outcome outcome = minimize(first, output, begin, times);
  fmt::print("  {}\n{}: {} of {} smaller programs showed it; {}\n",
             sizes_of(outcome.program), output, outcome.count.kept,
             outcome.count.candidates,
             outcome.count.stopped ? "stopped before all were tried"
                                   : "nothing smaller is left to try");
  return kClean;
}

}  // namespace racier::repro
