// repro/main.cc - racier-repro: replays, prints, exports and imports programs.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include "repro/command_line.h"
#include "repro/files.h"

namespace racier::repro {
namespace {

constexpr const char* kUsage =
    "usage: racier-repro COMMAND [options] FILE...\n"
    "\n"
    "  run FILE...    run programs with their schedules; is the end as expected?\n"
    "  search FILE    run a program under schedule after schedule until one fails\n"
    "  minimize FILE  make a program with a finding as small as it can be\n"
    "  explain FILE   say what happened in a program with a finding\n"
    "  inject FILE... fail each allocation of a program in turn\n"
    "  show FILE...   print a fuzzer's input as text\n"
    "  export FILE    print a C++ file that runs a program by itself\n"
    "  import FILE    make a program of a recording of a real program\n"
    "  hunt           arm each bug in turn: is it found, and how soon?\n"
    "\n"
    "racier-repro COMMAND --help tells more.\n"
    "Exit codes: 0 as expected, 1 finding, 2 wrong use or bad file, 3 could not run.\n";

struct Command {
  const char* name;
  int (*carry_out)(const std::vector<std::string>&);
};
constexpr Command kCommands[] = {
    {"run", &run_command},           {"search", &search_command},
    {"minimize", &minimize_command}, {"explain", &explain_command},
    {"inject", &inject_command},     {"show", &show_command},
    {"export", &export_command},     {"import", &import_command},
    {"hunt", &hunt_command}};

int dispatch(const std::string& name, const std::vector<std::string>& arguments) {
  if (name == "--help" || name == "help") {
    fmt::print("{}", kUsage);
    return kClean;
  }
  for (const Command& command : kCommands) {
    if (name == command.name) return command.carry_out(arguments);
  }
  throw BadInput(
      fmt::format("no command '{}': run, search, minimize, explain, inject, show, "
                  "export, import or "
                  "hunt",
                  name));
}

int complain(int code, const char* sentence) {
  std::fflush(stdout);
  fmt::print(stderr, "racier-repro: {}\n", sentence);
  return code;
}

int guarded(const std::string& name, const std::vector<std::string>& arguments) {
  try {
    const int code = dispatch(name, arguments);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      throw CannotRun(
          fmt::format("the output cannot be written: {}", std::strerror(errno)));
    }
    return code;
  } catch (const BadInput& error) {
    return complain(kWrongUse, error.what());
  } catch (const CannotRun& error) {
    return complain(kCouldNotRun, error.what());
  } catch (const std::bad_alloc&) {
    return complain(kCouldNotRun, "no memory");
  } catch (const std::system_error& error) {  // fmt::print: a full disk
    return complain(kCouldNotRun, error.what());
  }
}

}  // namespace
}  // namespace racier::repro

int main(int argc, char** argv) {
  if (argc < 2) {
    return racier::repro::complain(
        racier::repro::kWrongUse,
        "expected a command: run, search, minimize, explain, inject, show, export, "
        "import or hunt");
  }
  return racier::repro::guarded(argv[1], {argv + 2, argv + argc});
}
