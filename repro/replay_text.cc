// repro/replay_text.cc - see replay_text.h.  Tested by cli_test.sh.
#include "repro/replay_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace racier::repro {
namespace {

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::string end_text(const program::Program& program, const Replay& replay) {
  std::string text;
  if (replay.finding) {
    const Finding& finding = *replay.finding;
    text = fmt::format("{} ({}) at {}", finding.title, finding_kind_name(finding.kind),
                       place_of(program, replay));
    if (!finding.detail.empty())
      text += fmt::format(": {}", first_line(finding.detail));
  } else {
    text = fmt::format("{}, {} steps", replay.met() ? "clean" : replay.problems.front(),
                       replay.steps);
  }
  if (replay.missed > 0) {
    text +=
        fmt::format(", {} of its switches and choices did not apply", replay.missed);
  }
  if (replay.runs > 1) {
    text +=
        fmt::format(", {} runs alike, trace {:016x}", replay.runs, replay.trace_hash);
  }
  return text;
}

std::string more_problems(const Replay& replay) {
  std::string text;
  const bool in_line = !replay.finding && !replay.problems.empty();
  for (std::size_t i = in_line ? 1 : 0; i < replay.problems.size(); ++i) {
    text += "  " + replay.problems[i] + "\n";
  }
  return text;
}

std::string rest_of_detail(const Replay& replay) {
  if (!replay.finding) return "";
  std::string text;
  std::string_view rest = replay.finding->detail;
  rest.remove_prefix(std::min(rest.size(), first_line(rest).size() + 1));
  while (!rest.empty()) {
    const std::string_view line = first_line(rest);
    text += fmt::format("  {}\n", line);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return text;
}

}  // namespace racier::repro
