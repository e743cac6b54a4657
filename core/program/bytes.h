// core/program/bytes.h - programs as a fuzzer's bytes.
//
// machine | schedule | setup | tasks, so that the schedule and the calls change apart.
// Decoding is total: every string of bytes is a valid program.  Bytes hold what a
// fuzzer explores: no comment, no expectation, no armed bug, and numbers within its
// limits (fit()).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/program/program.h"

namespace racier::program {

inline constexpr std::size_t kFuzzedCallsMax = 64;  // of the setup, and of each task
inline constexpr std::size_t kFuzzedSwitchesMax = 1024;

Program decode(std::span<const std::uint8_t> bytes);

// Returns bytes that decode to fit(program).
std::vector<std::uint8_t> encode(const Program& program);

// Makes `program` one that bytes can hold: drops what they do not, cuts what is too
// long, and brings every number within a fuzzer's limits.  What fits stays as it is.
void fit(Program& program);

}  // namespace racier::program
