// core/program/print.h - programs as text.
#pragma once
#include <string>

#include "core/program/program.h"

namespace racier::program {

// Returns the canonical text of a valid program: parse() makes the same program of it.
std::string print(const Program& program);

// Returns one call without its note, as it stands in a text; `result` is the number of
// the variable that it defines, if it does.
std::string print_call(const Call& call, std::uint64_t result);

}  // namespace racier::program
