// repro/exit_codes.h - the exit codes of every racier program.
#pragma once

namespace racier::repro {

inline constexpr int kClean = 0;
inline constexpr int kFound = 1;
inline constexpr int kWrongUse = 2;
inline constexpr int kCouldNotRun = 3;

}  // namespace racier::repro
