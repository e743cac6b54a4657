// fuzz/mutation.h - a fuzzer's bytes, changed as programs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace racier::fuzz {

using Bytes = std::vector<std::uint8_t>;

// Returns `bytes` changed a little; the same for the same seed.  The result is the
// normal form of a program, of at most `size_max` bytes; empty, if none is so small.
//
// The schedule and the calls change apart: most changes to a program whose tasks can
// race leave the calls alone, because a race needs one of many schedules.
Bytes mutate(std::span<const std::uint8_t> bytes, std::size_t size_max,
             std::uint64_t seed);

// Likewise, with parts of both.
Bytes cross(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
            std::size_t size_max, std::uint64_t seed);

}  // namespace racier::fuzz
