// stress/finding_text.h - names and texts of findings.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/finding.h"
#include "core/program/program.h"
#include "core/program/runner.h"

namespace racier::stress {

// Returns "KIND-HASH", one word for each signature.
std::string slug_of(std::string_view kind, std::string_view title);
std::string finding_slug(const Finding& finding);

// Returns a program that failed as a text: it expects the finding; its comment tells
// it, and that `replay` runs the same program on threads again.
std::string finding_program(program::Program program, const Finding& finding,
                            program::Phase phase, const std::string& replay);

// Returns what a person reads, on several lines.
std::string finding_report(const Finding& finding, program::Phase phase);

}  // namespace racier::stress
