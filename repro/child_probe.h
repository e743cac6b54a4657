// repro/child_probe.h - runs candidates in processes of their own.
#pragma once
#include <chrono>
#include <string>

#include "repro/in_child.h"
#include "repro/minimizer.h"

namespace racier::repro {

// For a finding that ends the process, or candidates that may.
class ChildProbe final : public Probe {
 public:
  // What is looked for: the signature of a finding, or how the process ends.
  struct Target {
    std::string signature;
    std::string death;  // empty: it does not
  };
  // A candidate that takes `limit` shows nothing.
  ChildProbe(Target target, std::chrono::seconds limit);

  bool shows(program::Program& candidate, std::uint64_t executions) override;
  bool shows_within(program::Program& candidate, int depth,
                    std::uint64_t executions) override;
  int preemptions(const program::Program& candidate) override;

 private:
  bool dies_alike(const program::Program& candidate) const;
  bool finds(program::Program& candidate,
             const std::function<bool(ProcessProbe&)>& work) const;

  const Target target_;
  const std::chrono::seconds limit_;
};

}  // namespace racier::repro
