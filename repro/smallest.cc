// repro/smallest.cc - see smallest.h.  Tested by hunter_test.cc and
// drop_hunter_test.cc.
#include "repro/smallest.h"

#include <fmt/format.h>

#include <sstream>

#include "core/program/print.h"
#include "repro/child_probe.h"
#include "repro/explainer.h"
#include "repro/in_child.h"
#include "repro/minimizer.h"
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

// Minimises `found`, and returns the sizes of what is left as words, and its text; "":
// it has no finding any more.
std::string words_by(Probe& probe, const program::Program& found,
                     Clock::time_point deadline) {
  const Minimizer::Hooks hooks{
      .stop = [&] { return stress::stop_requested() || Clock::now() >= deadline; },
      .is_smaller = [](const program::Program&) {},
  };
  Minimizer minimizer(found, probe, hooks);
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
                                           std::chrono::duration<double> time) {
  constexpr std::chrono::seconds kGrace{20};  // to end in order
  constexpr std::chrono::seconds kOne{5};     // the most that one candidate gets
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
  ChildResult result = run_in_child(
      [&] {
        ProcessProbe probe(signature);
        return words_by(probe, found, deadline);
      },
      deadline + kGrace);
  if (!result.death.empty()) {
    result = run_in_child(
        [&] {
          ChildProbe probe({signature, ""}, kOne);
          return words_by(probe, found, deadline);
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
