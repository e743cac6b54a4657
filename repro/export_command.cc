// repro/export_command.cc - `racier-repro export`: a program as a C++ file.
//
// Tested by export_test.sh.
#include <fmt/format.h>

#include "repro/command_line.h"
#include "repro/export_text.h"
#include "repro/files.h"
#include "repro/program_changes.h"

namespace racier::repro {
namespace {

namespace po = boost::program_options;

Usage export_usage() {
  Usage usage;
  usage.synopsis = "racier-repro export [options] FILE";
  usage.text =
      "Prints a C++ file that runs a program (text, or a fuzzer's input) by itself: it "
      "holds\n"
      "the program with its schedule, is built against the installed library "
      "(./racier\n"
      "install DIR) by the one command that its head names, and prints the same "
      "finding.\n"
      "Exit codes: 0, 2 bad file or wrong use, 3 could not run.\n";
  add_program_changes(usage);
  usage.options.add_options()("output,o", po::value<std::string>(),
                              "write it there, to a name that ends in .cc");
  return usage;
}

}  // namespace

int export_command(const std::vector<std::string>& arguments) {
  const CommandLine line = read_command_line(export_usage(), arguments);
  if (line.help) return kClean;
  if (line.files.size() != 1) throw BadInput("export: expected one file");
  const std::string& path = line.files.front();
  const std::string output = line.has("output") ? line.get<std::string>("output") : "";
  ProgramFile file = read_program(path);
  change_program(line, file.program);
  std::string text;
  try {
    text = export_text(file, output);
  } catch (const BadInput& error) {
    throw BadInput(fmt::format("{}: {}", path, error.what()));
  }
  if (line.has("output")) {
    write_file(output, text);
  } else {
    fmt::print("{}", text);
  }
  return kClean;
}

}  // namespace racier::repro
