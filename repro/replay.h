// SPDX-License-Identifier: GPL-2.0-only
//
// racier/replay.h - runs a racier program from C++.  `racier-repro export` writes
// files that need nothing else of racier; in its own tree this is repro/replay.h.
#pragma once
#include <string_view>

namespace racier {

// Runs a program (core/program/README.md; a line break at its start is skipped) with
// its schedule, once, and prints how it ended, in the words of `racier-repro run`.
// Reads the options of main(): --help has them.  Returns the exit code:
//   0  no finding
//   1  a finding, or calls did not give what the program expects of them
//   2  wrong use, or this is no program
//   3  it could not be run
// Context: one thread, at a time; what a sanitizer finds may end the process.
int replay(std::string_view program, int argc, char** argv);

}  // namespace racier
