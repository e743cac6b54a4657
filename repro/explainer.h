// repro/explainer.h - replays a program and says what happened in it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/program/program.h"
#include "repro/explanation.h"

namespace racier::repro {

// Runs `program`, read from `file`, with its schedule, and returns what happened;
// nothing if it shows no finding.
std::optional<Explanation> explain(const program::Program& program,
                                   const std::string& file);

// Likewise of one that ends the process (`death` says how): as far as it comes in
// `steps` steps, without audits.
Explanation explain_death(const program::Program& program, const std::string& file,
                          const std::string& death, std::uint32_t steps);

// Runs the tasks of `program` for at most `steps` steps, without audits: returns how
// many they made.
std::uint64_t run_for(const program::Program& program, std::uint32_t steps);

}  // namespace racier::repro
