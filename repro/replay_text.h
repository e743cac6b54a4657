// repro/replay_text.h - how a run ended, in words.
#pragma once
#include <string>

#include "repro/replayer.h"

namespace racier::repro {

// Returns a line without its end: the finding, its place and the first line of its
// detail; or that the run was clean, or what was expected otherwise.
std::string end_text(const program::Program& program, const Replay& replay);

// Returns what else was expected otherwise, and the finding's detail behind its first
// line: lines that are indented, or nothing.
std::string more_problems(const Replay& replay);
std::string rest_of_detail(const Replay& replay);

}  // namespace racier::repro
