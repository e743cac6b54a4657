// fuzz/schemes_agree.h - runs an input on every design, and compares.
#pragma once
#include "core/program/agree.h"
#include "core/runtime/fiber_runtime.h"
#include "fuzz/target.h"

namespace racier::fuzz {

// What agrees is said in core/program/agree.h.  The program's own design is no matter,
// and neither are the options --rmap, --memory, --check-determinism and --feedback.
class SchemesAgree final : public Target {
 public:
  explicit SchemesAgree(const Options& options);

  std::optional<Found> run_bytes(std::span<const std::uint8_t> bytes) override;
  std::optional<Found> run(const program::Program& program);
  bool was_slow() const override { return agreement_.steps() > kSlowSteps; }
  std::optional<Finding> replay(const program::Program& program) override;
  // "compared N programs; not compared: ...".
  std::string summary() const override;
  const program::AgreementCounts& counts() const { return agreement_.counts(); }

 private:
  static constexpr std::uint64_t kSlowSteps = 1 << 18;  // on all designs together

  Options options_;
  FiberRuntime alone_;
  FiberRuntime tasks_;
  program::Agreement agreement_{alone_, tasks_};
};

}  // namespace racier::fuzz
