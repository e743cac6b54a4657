// repro/smallest.cc - see smallest.h.  Tested by hunter_test.cc and
// drop_hunter_test.cc.
#include "repro/smallest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <sstream>

#include "core/program/print.h"
#include "repro/child_probe.h"
#include "repro/explainer.h"
#include "repro/in_child.h"
#include "stress/stop_signals.h"

namespace racier::repro {
namespace {

using Clock = std::chrono::steady_clock;

// So that whoever runs it sees it pass.
program::Program expecting_its_finding(program::Program program,
                                       const Explanation& explanation) {
  program.expectation = {.kind = program::Expectation::Kind::kFinding,
                         .finding = explanation.finding.kind,
                         .title = ""};
  return program;
}

bool is_over(Clock::time_point deadline) {
  return stress::stop_requested() || Clock::now() >= deadline;
}

// Minimises `found`, and returns the sizes of what is left as words, and its text; "":
// it has no finding any more.
std::string words_by(Probe& probe, const program::Program& found,
                     Clock::time_point deadline, std::uint64_t ordered) {
  const Minimizer::Hooks hooks{
      .stop = [deadline] { return is_over(deadline); },
      .is_smaller = [](const program::Program&) {},
  };
  Minimizer minimizer(found, probe, hooks, ordered);
  minimizer.minimize();
  const program::Program& program = minimizer.program();
  const auto explanation = explain(program, "");
  if (!explanation) return "";
  return fmt::format("{} {} {} {}\n{}", program.tasks.size(), program.calls(),
                     explanation->switches, explanation->preemptions,
                     program::print(expecting_its_finding(program, *explanation)));
}

}  // namespace

std::optional<SmallestProgram> smallest_of(const program::Program& found,
                                           const std::string& signature,
                                           std::chrono::duration<double> time,
                                           std::uint64_t ordered) {
  constexpr std::chrono::seconds kGrace{20};  // to end in order
  // The most that one candidate gets: one that hangs is not to take all of the time.
  const std::chrono::seconds one(
      std::max<std::int64_t>(5, static_cast<std::int64_t>(time.count() / 10)));
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
  ChildResult result = run_in_child(
      [&] {
        ProcessProbe probe(signature, [deadline] { return is_over(deadline); });
        return words_by(probe, found, deadline, ordered);
      },
      deadline + kGrace);
  if (!result.death.empty()) {
    result = run_in_child(
        [&] {
          ChildProbe probe({signature, ""}, one);
          return words_by(probe, found, deadline, ordered);
        },
        deadline + kGrace);
  }
  const std::size_t end = result.said.find('\n');
  if (end == result.said.npos) return std::nullopt;
  std::istringstream words(result.said.substr(0, end));
  SmallestProgram smallest{{}, result.said.substr(end + 1)};
  words >> smallest.sizes.tasks >> smallest.sizes.calls >> smallest.sizes.switches >>
      smallest.sizes.preemptions;
  if (!words) return std::nullopt;
  return smallest;
}

}  // namespace racier::repro
