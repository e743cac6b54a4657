// fuzz/mmus_agree.h - runs an input on both MMUs, and compares.
#pragma once
#include <vector>

#include "core/runtime/fiber_runtime.h"
#include "core/runtime/trace.h"
#include "fuzz/target.h"

namespace racier::fuzz {

// A program with its schedule does the same on an MMU in software and on the host's:
// the same steps, the same outcomes, the same finding; and where there is none, every
// frame that is in use at the end, page tables and the pages of files among them, holds
// the same bytes.  The program's own mmu= is no matter, and neither are the options
// --mmu, --check-determinism and --feedback.
class MmusAgree final : public Target {
 public:
  explicit MmusAgree(const Options& options);

  std::optional<Found> run_bytes(std::span<const std::uint8_t> bytes) override;
  std::optional<Found> run(program::Program program);
  bool was_slow() const override { return steps_ > kSlowSteps; }
  std::optional<Finding> replay(const program::Program& program) override;
  // "compared N programs of M steps".
  std::string summary() const override;

 private:
  // What a run has shown.
  struct Shown {
    std::optional<Finding> finding;
    program::Phase phase = program::Phase::kSetup;
    std::uint64_t steps = 0;
    std::uint64_t trace = 0;
    std::vector<program::Outcome> outcomes;
    std::vector<std::uint64_t>
        frames;  // of each in use: its number, a hash of its bytes
  };

  static constexpr std::uint64_t kSlowSteps = 1 << 17;  // on both together

  Shown show(program::Program& program, bool host_mmu);
  static std::string difference(const Shown& soft, const Shown& host);

  program::RunOptions run_options_;
  Options options_;
  FiberRuntime alone_;
  FiberRuntime tasks_;
  program::Runner runner_{alone_};
  Trace trace_;
  std::uint64_t steps_ = 0;  // of the last input
  std::uint64_t compared_ = 0;
  std::uint64_t steps_compared_ = 0;
};

}  // namespace racier::fuzz
