// repro/child_probe.cc - see child_probe.h.  Tested by cli_test.sh.
#include "repro/child_probe.h"

#include "core/program/parse.h"
#include "core/program/print.h"
#include "core/runtime/run_alone.h"
#include "repro/replayer.h"

namespace racier::repro {

ChildProbe::ChildProbe(Target target, std::chrono::seconds limit)
    : target_(std::move(target)), limit_(limit) {}

bool ChildProbe::dies_alike(const program::Program& candidate) const {
  const ChildResult result = run_in_child(
      [&] {
        Replayer(candidate).run(1);
        return std::string();
      },
      std::chrono::steady_clock::now() + limit_);
  return !result.late && result.death == target_.death;
}

// The child returns the program with the schedule that it found.
bool ChildProbe::finds(program::Program& candidate,
                       const std::function<bool(ProcessProbe&)>& work) const {
  const ChildResult result = run_in_child(
      [&] {
        ProcessProbe probe(target_.signature);
        return work(probe) ? program::print(candidate) : std::string();
      },
      std::chrono::steady_clock::now() + limit_);
  if (result.late || !result.death.empty() || result.said.empty()) return false;
  program::Parsed parsed = program::parse(result.said);
  if (!parsed.program) return false;
  candidate = std::move(*parsed.program);
  return true;
}

// Who dies tells nobody his schedule: a few are tried by name.
bool ChildProbe::shows(program::Program& candidate, std::uint64_t executions) {
  if (target_.death.empty()) {
    return finds(candidate, [&](ProcessProbe& probe) {
      return probe.shows(candidate, executions);
    });
  }
  if (dies_alike(candidate)) return true;
  constexpr std::uint64_t kSeeds = 4;
  for (std::uint64_t seed = 1; seed <= kSeeds && executions > 0; ++seed) {
    candidate.schedule = pos_seed(seed);
    if (dies_alike(candidate)) return true;
  }
  return false;
}

bool ChildProbe::shows_within(program::Program& candidate, int depth,
                              std::uint64_t executions) {
  if (!target_.death.empty()) return false;
  return finds(candidate, [&](ProcessProbe& probe) {
    return probe.shows_within(candidate, depth, executions);
  });
}

int ChildProbe::preemptions(const program::Program& candidate) {
  const ChildResult result = run_in_child(
      [&] {
        return std::to_string(ProcessProbe(target_.signature).preemptions(candidate));
      },
      std::chrono::steady_clock::now() + limit_);
  const bool told = !result.late && result.death.empty() && !result.said.empty();
  return told ? std::stoi(result.said) : 0;
}

}  // namespace racier::repro
