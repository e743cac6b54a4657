// fuzz/schemes_agree.cc - one input on every design.  Tested by schemes_agree_test.cc.
#include "fuzz/schemes_agree.h"

#include "core/program/bytes.h"

namespace racier::fuzz {

SchemesAgree::SchemesAgree(const Options& options)
    : options_(options), alone_({}, options.steps_max), tasks_({}, options.steps_max) {
  agreement_.arm(options.bugs);
}

std::optional<Found> SchemesAgree::run_bytes(std::span<const std::uint8_t> bytes) {
  return run(program::decode(bytes));
}

std::optional<Found> SchemesAgree::run(const program::Program& program) {
  auto disagreement = agreement_.check(program);
  if (!disagreement) return std::nullopt;
  Found found{.finding = std::move(disagreement->finding),
              .phase = disagreement->phase,
              .program = std::move(disagreement->program)};
  found.program.bugs = options_.bugs;
  if (disagreement->of_one_design) {
    found.program.expectation = {program::Expectation::Kind::kFinding,
                                 found.finding.kind, found.finding.title};
  } else {
    found.replay = "racier fuzz --target schemes_agree CRASH-FILE";
  }
  return found;
}

std::optional<Finding> SchemesAgree::replay(const program::Program& program) {
  auto found = agreement_.check(program);
  if (!found) return std::nullopt;
  return std::move(found->finding);
}

std::string SchemesAgree::summary() const {
  const program::AgreementCounts& counts = agreement_.counts();
  return "schemes_agree: compared " + std::to_string(counts.compared) +
         " programs; not compared: " + std::to_string(counts.short_of_memory) +
         " short of memory, " + std::to_string(counts.parted) +
         " where one design had merged, " + std::to_string(counts.empty) + " empty\n";
}

}  // namespace racier::fuzz
