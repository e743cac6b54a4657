// repro/explain_command.cc - `racier-repro explain`: what happened, for people.
//
// All is done in a child process: what is to be explained may end it.  Then it is run
// again and again for fewer steps, until it lives.  Tested by cli_test.sh.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "repro/command_line.h"
#include "repro/explain_page.h"
#include "repro/explain_text.h"
#include "repro/explain_tracks.h"
#include "repro/explainer.h"
#include "repro/files.h"
#include "repro/in_child.h"
#include "repro/long_run.h"
#include "repro/program_changes.h"
#include "repro/program_file.h"

namespace racier::repro {
namespace {

namespace po = boost::program_options;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr int kWidthMin = 40;
constexpr int kWidthMax = 1000;

Usage explain_usage() {
  Usage usage;
  usage.synopsis = "racier-repro explain [options] FILE";
  usage.text =
      "Replays a program (text, or a fuzzer's input) that has a finding, and tells "
      "what "
      "happened:\n"
      "what each task did, side by side, where the schedule switched, and which steps "
      "met.\n"
      "Exit codes: 0 explained, 1 there is no finding, 2 bad file or wrong use, 3 "
      "could "
      "not run.\n";
  add_program_changes(usage);
  auto add = usage.options.add_options();
  add("all", "fold no steps away");
  add("width", po::value<std::string>(),
      "columns of the text; else those of the terminal, or 100");
  add("text", po::value<std::string>(), "write the text there, and print none");
  add("html", po::value<std::string>(), "write a page for a browser there");
  add("perfetto", po::value<std::string>(),
      "write a trace there, for https://ui.perfetto.dev or chrome://tracing");
  return usage;
}

TextLook look_of(const CommandLine& line) {
  TextLook look;
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  winsize size{};
  if (terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    look.width = std::clamp<int>(size.ws_col, kWidthMin, kWidthMax);
  }
  if (line.has("width")) {
    look.width = static_cast<int>(line.number("width", kWidthMin, kWidthMax));
  }
  const char* const no_colour = std::getenv("NO_COLOR");
  look.colour =
      terminal && !line.has("text") && (no_colour == nullptr || *no_colour == '\0');
  look.all = line.has("all");
  return look;
}

ChildResult in_time(const std::function<std::string()>& work) {
  constexpr std::chrono::seconds kLimit{60};
  const ChildResult result = run_in_child(work, Clock::now() + kLimit);
  if (result.late) {
    throw CannotRun(fmt::format("no end after {} s", kLimit.count()));
  }
  return result;
}

// Returns the most steps that `program` makes, without audits, and lives.
std::uint32_t steps_it_lives(const program::Program& program) {
  const auto lives = [&program](std::uint32_t steps) {
    return in_time([&] { return fmt::format("{}", run_for(program, steps)); })
        .death.empty();
  };
  const std::uint32_t most = steps_max_of(program);
  if (lives(most)) return most;
  std::uint32_t good = 1, bad = most;
  for (std::uint32_t steps = 64; steps < most && bad == most; steps *= 2) {
    (lives(steps) ? good : bad) = steps;
  }
  while (bad - good > 1) {
    const std::uint32_t middle = good + (bad - good) / 2;
    (lives(middle) ? good : bad) = middle;
  }
  return good;
}

Json shown(const Explanation& explanation, const CommandLine& line) {
  Json all{{"text", explain_text(explanation, look_of(line))}};
  if (line.has("html")) all["html"] = explain_page(explanation);
  if (line.has("perfetto")) all["perfetto"] = explain_tracks(explanation);
  return all;
}

// Returns what is to be written; nothing if there is no finding.
Json explain_in_child(const program::Program& program, const std::string& file,
                      const CommandLine& line) {
  const ChildResult result = in_time([&] {
    const auto explanation = explain(program, file);
    return explanation ? shown(*explanation, line).dump() : std::string();
  });
  if (result.death.empty()) {
    return result.said.empty() ? Json() : Json::parse(result.said);
  }
  const std::uint32_t steps = steps_it_lives(program);
  const ChildResult last = in_time([&] {
    return shown(explain_death(program, file, result.death, steps), line).dump();
  });
  if (!last.death.empty()) {
    throw CannotRun(fmt::format("{}: the process ended: {}; no part of it can be told",
                                file, result.death));
  }
  return Json::parse(last.said);
}

}  // namespace

int explain_command(const std::vector<std::string>& arguments) {
  const CommandLine line = read_command_line(explain_usage(), arguments);
  if (line.help) return kClean;
  if (line.files.size() != 1) throw BadInput("expected one file");
  look_of(line);  // wrong use is told before anything runs
  const std::string& file = line.files.front();
  program::Program program = read_program(file).program;
  change_program(line, program);
  const Json told = explain_in_child(program, file, line);
  if (told.is_null()) {
    fmt::print(
        "{}: no finding under its schedule; one is searched for by\n"
        "  racier repro search --save FOUND.racier {}\n",
        file, file);
    return kFound;
  }
  const std::string text = told["text"];
  if (line.has("text")) {
    write_file(line.get<std::string>("text"), text);
  } else {
    fmt::print("{}", text);
  }
  for (const char* const other : {"html", "perfetto"}) {
    if (!line.has(other)) continue;
    write_file(line.get<std::string>(other), told[other].get<std::string>());
  }
  return kClean;
}

}  // namespace racier::repro
