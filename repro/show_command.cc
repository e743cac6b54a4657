// repro/show_command.cc - `racier-repro show`: a program as canonical text.
#include <fmt/format.h>

#include "core/program/print.h"
#include "repro/command_line.h"
#include "repro/program_file.h"

namespace racier::repro {

int show_command(const std::vector<std::string>& arguments) {
  Usage usage;
  usage.synopsis = "racier-repro show FILE...";
  usage.text =
      "Prints a fuzzer's input as text, and a text in its canonical form.\n"
      "Exit codes: 0, 2 bad file, 3 could not run.\n";
  const CommandLine line = read_command_line(usage, arguments);
  if (line.help) return kClean;
  std::string text;
  for (const std::string& file : line.files) {
    text += program::print(read_program(file).program);
  }
  fmt::print("{}", text);
  return kClean;
}

}  // namespace racier::repro
