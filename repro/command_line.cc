// repro/command_line.cc - reads arguments.  Tested by cli_test.sh.
#include "repro/command_line.h"

#include <fmt/format.h>

#include <sstream>

#include "repro/files.h"
#include "stress/words.h"

namespace racier::repro {
namespace po = boost::program_options;

std::uint64_t CommandLine::number(const char* name, std::uint64_t min,
                                  std::uint64_t max) const {
  try {
    return stress::number_option(name, get<std::string>(name), min, max);
  } catch (const stress::WrongOption& error) {
    throw BadInput(error.what());
  }
}

CommandLine read_command_line(const Usage& usage,
                              const std::vector<std::string>& arguments) {
  po::options_description all = usage.options;
  all.add_options()("help", "print this text");
  po::options_description hidden;
  hidden.add_options()("file", po::value<std::vector<std::string>>());
  po::options_description both;
  both.add(all).add(hidden);
  const po::positional_options_description positional = [] {
    po::positional_options_description files;
    files.add("file", -1);
    return files;
  }();
  CommandLine line;
  try {
    const int style =
        po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(arguments)
                  .options(both)
                  .positional(positional)
                  .style(style)
                  .run(),
              line.options);
    po::notify(line.options);
  } catch (const po::error& error) {
    throw BadInput(fmt::format("{} (try --help)", error.what()));
  }
  if (line.has("help")) {
    std::ostringstream options;
    options << all;
    fmt::print("usage: {}\n\n{}\n{}", usage.synopsis, usage.text, options.str());
    line.help = true;
  }
  if (line.has("file")) line.files = line.get<std::vector<std::string>>("file");
  if (!line.help && line.files.empty() && usage.needs_files) {
    throw BadInput(fmt::format("expected a file: {}", usage.synopsis));
  }
  return line;
}

}  // namespace racier::repro
