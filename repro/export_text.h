// repro/export_text.h - a program as a C++ file.
#pragma once
#include <string>
#include <string_view>

#include "repro/program_file.h"

namespace racier::repro {

// Returns C++ that runs a program by itself: it includes racier/replay.h, and its head
// says what it shows and how to build it.  `path` is where it is to be written; only
// its name is used, if it is one that a shell and a compiler take for what it is.
// Throws BadInput: the program's comments or its title are no text.
std::string export_text(const ProgramFile& file, std::string_view path);

// Returns `text` as a raw string literal, a line break in front of it.
std::string raw_literal(std::string_view text);

}  // namespace racier::repro
