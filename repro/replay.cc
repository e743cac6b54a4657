// repro/replay.cc - all that an exported program does.  Tested by export_test.sh.
#include "repro/replay.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <system_error>

#include "core/base/source_name.h"
#include "core/program/parse.h"
#include "repro/exit_codes.h"
#include "repro/replay_text.h"
#include "repro/replayer.h"

namespace racier {
namespace {

constexpr const char* kUsage =
    "usage: {} [--trace | --text]\n"
    "\n"
    "Runs a program of racier with its schedule, and prints how it ended.\n"
    "\n"
    "  --trace  print its steps, too\n"
    "  --text   print the program, and do not run it\n"
    "\n"
    "Exit codes: 0 no finding, 1 a finding, or calls gave not what was expected, "
    "2 wrong\n"
    "use, 3 could not run.\n";

// What keeps a program from being run: one line, and the exit code.
struct Obstacle {
  int code;
  std::string sentence;
};

program::Program parsed(std::string_view text) {
  program::Parsed parsed = program::parse(text);
  if (!parsed.program) throw Obstacle{repro::kWrongUse, parsed.error.str("program")};
  const auto wrong = program::validate(*parsed.program);
  if (!wrong.empty()) throw Obstacle{repro::kWrongUse, "program: " + wrong.front()};
  return std::move(*parsed.program);
}

// A program that shows its finding no more is clean: there is nothing wrong any more.
bool failed(const program::Program& program, const repro::Replay& replay) {
  if (replay.finding) return true;
  using Kind = program::Expectation::Kind;
  const std::size_t excused = program.expectation.kind == Kind::kFinding ? 1 : 0;
  return replay.problems.size() > excused;
}

int run(std::string_view text, bool trace) {
  const program::Program program = parsed(text);
  repro::Replayer replayer(program);
  const repro::Replay replay = replayer.run(1);
  if (trace) fmt::print("{}", replayer.trace_text());
  fmt::print("{}\n{}", repro::end_text(program, replay), repro::rest_of_detail(replay));
  if (!replay.met()) fmt::print("{}", repro::more_problems(replay));
  return failed(program, replay) ? repro::kFound : repro::kClean;
}

int carry_out(std::string_view text, const std::string& name, std::string_view option,
              bool more) {
  if (more) {
    throw Obstacle{repro::kWrongUse, "expected one option or none (try --help)"};
  }
  if (option.empty() || option == "--trace") return run(text, !option.empty());
  if (option == "--help") {
    fmt::print(fmt::runtime(kUsage), name);
  } else if (option == "--text") {
    fmt::print("{}", text);
  } else {
    throw Obstacle{repro::kWrongUse,
                   fmt::format("unrecognised option '{}' (try --help)", option)};
  }
  return repro::kClean;
}

}  // namespace

int replay(std::string_view program, int argc, char** argv) {
  if (program.starts_with('\n')) program.remove_prefix(1);
  const std::string name(argc > 0 ? base_name(argv[0]) : "replay");
  Obstacle obstacle{repro::kCouldNotRun, "no memory"};
  try {
    const int code = carry_out(program, name, argc > 1 ? argv[1] : "", argc > 2);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    obstacle.sentence =
        fmt::format("the output cannot be written: {}", std::strerror(errno));
  } catch (Obstacle& met) {
    obstacle = std::move(met);
  } catch (const std::system_error& error) {
    obstacle.sentence = error.what();
  } catch (const std::bad_alloc&) {
  }
  std::fflush(stdout);
  fmt::print(stderr, "{}: {}\n", name, obstacle.sentence);
  return obstacle.code;
}

}  // namespace racier
