// repro/import_command.cc - `racier-repro import`: a recording as a program.
#include <fmt/format.h>

#include "core/program/print.h"
#include "repro/command_line.h"
#include "repro/files.h"
#include "repro/import_report.h"
#include "repro/program_changes.h"

namespace racier::repro {
namespace {

namespace po = boost::program_options;

Usage import_usage() {
  Usage usage;
  usage.synopsis = "racier-repro import [options] RECORDING";
  usage.text =
      "Makes a program of what perf script printed of a real program (may be "
      "compressed with\n"
      "xz): its processes, mappings and page faults.  Runs it with all audits, and "
      "compares:\n"
      "at each recorded fault our page table must be in the state that the error code "
      "tells,\n"
      "behind each call our vmas must be the recorded ones.  Differences that the "
      "recording\n"
      "itself explains have names and are counted; any other is listed.\n"
      "Exit codes: 0 nothing is unexplained, 1 something is, 2 bad recording or wrong "
      "use,\n"
      "3 could not run.\n";
  auto add = usage.options.add_options();
  add("out", po::value<std::string>(), "write the program there");
  add("check", "run it and compare; always done without --out");
  add("quiet", "print only what is unexplained");
  add("processes", po::value<int>()->default_value(0),
      "stop before process number N + 1 begins (0: all)");
  add("until", po::value<int>()->default_value(0),
      "stop behind this line of the recording (0: at the end)");
  add("json", po::value<std::string>(), "write the counts there as JSON");
  add_program_changes(usage);
  return usage;
}

Recording read_recording(const std::string& file) {
  try {
    return parse_recording(read_unpacked(file));
  } catch (const BadRecording& bad) {
    throw BadInput(
        fmt::format("{}:{}:{}: expected {}", file, bad.line, bad.column, bad.expected));
  }
}

void print_result(const Import& import, bool quiet) {
  if (!quiet) {
    fmt::print("{}", report_text(import));
    return;
  }
  for (const std::string& line : import.unexplained()) {
    fmt::print("{}:{}\n", import.recording, line);
  }
}

}  // namespace

int import_command(const std::vector<std::string>& arguments) {
  const CommandLine line = read_command_line(import_usage(), arguments);
  if (line.help) return kClean;
  if (line.files.size() != 1) throw BadInput("import: expected one recording");
  const TranslateLimits limits{line.get<int>("processes"), line.get<int>("until")};
  if (limits.processes_max < 0 || limits.line_max < 0) {
    throw BadInput("--processes and --until: expected a number from 0");
  }
  Import import;
  import.recording = line.files.front();
  import.events = read_recording(import.recording);
  import.translation = translate(import.events, limits);
  import.translation.program.header = program_header(import);
  change_program(line, import.translation.program);
  const auto wrong = program::validate(import.translation.program);
  if (!wrong.empty()) {
    throw CannotRun(fmt::format("{}: more than racier can be: {}", import.recording,
                                wrong.front()));
  }
  if (line.has("out")) {
    write_file(line.get<std::string>("out"),
               program::print(import.translation.program));
  }
  if (line.has("check") || !line.has("out"))
    import.comparison = compare(import.translation);
  print_result(import, line.has("quiet"));
  if (line.has("json")) write_file(line.get<std::string>("json"), report_json(import));
  return import.unexplained().empty() ? kClean : kFound;
}

}  // namespace racier::repro
