// repro/program_file.h - a program from a file, whichever form it has.
#pragma once
#include <string>
#include <string_view>

#include "core/program/program.h"

namespace racier::repro {

struct ProgramFile {
  program::Program program;
  bool bytes = false;  // it was a fuzzer's input
};

// Returns whether `text` is UTF-8 without control characters but those of lines.
bool is_text(std::string_view text);

// Reads a program as text, or, if the file is none, as the bytes of a fuzzer's input.
// A file named *.racier is text.  Throws BadInput with file, line and column.
ProgramFile read_program(const std::string& path);

}  // namespace racier::repro
