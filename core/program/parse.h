// core/program/parse.h - programs from text.  README.md has the grammar.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/program/program.h"

namespace racier::program {

// What is wrong with a text, and where; lines and columns from 1.
struct ParseError {
  int line = 0;
  int column = 0;
  std::string sentence;  // "expected a process, not `m0`, which is a mapping"

  // Returns "FILE:LINE:COLUMN: sentence".
  std::string str(std::string_view file) const;
};

struct Parsed {
  std::optional<Program> program;  // nothing: `error` says why
  ParseError error;
};

// Reads a program; stops at the first error.
Parsed parse(std::string_view text);

}  // namespace racier::program
