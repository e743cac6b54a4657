// stress/round_runner.cc - runs rounds.  Tested by round_runner_test.cc.
#include "stress/round_runner.h"

#include <algorithm>

#include "core/base/random.h"
#include "stress/value_audit.h"

namespace racier::stress {

namespace {

Tally tally_of(const program::Program& program, const program::RunResult& result) {
  Tally tally;
  for (std::size_t i = program.setup.size(); i < result.outcomes.size(); ++i) {
    const program::Outcome& outcome = result.outcomes[i];
    if (outcome.kind == program::Outcome::Kind::kSkipped) ++tally.skipped;
    const bool done = outcome.kind == program::Outcome::Kind::kDone ||
                      outcome.kind == program::Outcome::Kind::kValue;
    if (done) ++tally.calls[static_cast<std::size_t>(outcome.status)];
  }
  std::ranges::copy(result.marks, tally.marks.begin());
  return tally;
}

template <std::size_t kSize>
void add_all(std::array<std::uint64_t, kSize>& to,
             const std::array<std::uint64_t, kSize>& more) {
  for (std::size_t i = 0; i < kSize; ++i) to[i] += more[i];
}

}  // namespace

std::uint32_t draw_jitter(std::uint64_t seed) {
  constexpr std::uint32_t kJitters[] = {0, 0, 10000, 1000, 100};
  return kJitters[Random(seed ^ 0x71773e).below(std::size(kJitters))];
}

void Tally::add(const Tally& other) {
  add_all(calls, other.calls);
  add_all(marks, other.marks);
  skipped += other.skipped;
}

RoundResult RoundRunner::run(const program::Program& program, std::uint64_t seed,
                             std::uint32_t jitter) {
  threads_.set_seed(seed);
  threads_.set_jitter(jitter);
  program::RunOptions options;
  options.watch = false;
  options.observer = &counts_;
  const program::RunResult& result = runner_.run(program, threads_, options);
  RoundResult round{result.finding, result.phase, tally_of(program, result)};
  if (!round.finding) round.finding = audit_values(program, result.outcomes);
  return round;
}

}  // namespace racier::stress
