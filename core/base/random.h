// core/base/random.h - the one generator of numbers: strategies, mutations, seeds.
//
// SplitMix64 (Steele, Lea, Flood 2014): eight bytes of state, any seed is good, and the
// same numbers on every host and in every build.
#pragma once
#include <cstdint>

namespace racier {

class Random {
 public:
  constexpr explicit Random(std::uint64_t seed = 0) : state_(seed) {}

  // Returns 64 random bits.
  constexpr std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    return mixed(state_);
  }
  // Returns a number below `limit`, which is not 0; the bias is below limit / 2^64.
  constexpr std::uint64_t below(std::uint64_t limit) {
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(next()) * limit >>
                                      64);
  }

  // Returns the bits of `value` well mixed: a hash.
  static constexpr std::uint64_t mixed(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace racier
