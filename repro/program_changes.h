// repro/program_changes.h - the options that change a program before it runs.
#pragma once
#include <string>

#include "core/base/schedule.h"
#include "core/program/program.h"
#include "repro/command_line.h"
#include "repro/replayer.h"

namespace racier::repro {

// Adds --bug, --rmap and --memory.
void add_program_changes(Usage& usage);
// Does to `program` what they say.  Throws BadInput.
void change_program(const CommandLine& line, program::Program& program);

// Returns the strategy of that name, any but replay.  Throws BadInput.
StrategyKind strategy_named(const std::string& name);

// Writes the finding of `replay` to `path`, as a program that shows it again.  Throws
// CannotRun if it does not.
void save_finding(const std::string& file, const program::Program& program,
                  const Replay& replay, const std::string& path);

}  // namespace racier::repro
