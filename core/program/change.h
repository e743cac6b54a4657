// core/program/change.h - draws one of several ways to change a program; for mutate*.cc
// only.
#pragma once
#include <cstdint>
#include <span>

#include "core/base/random.h"
#include "core/program/program.h"

namespace racier::program {

// A change returns false if the program has nothing to change in that way.
struct Change {
  bool (*apply)(Program&, Random&);
  std::uint32_t weight;
};

// Applies changes, drawn by weight, until one was possible; gives up in the end.
void apply_one_of(std::span<const Change> changes, Program& program, Random& random);

}  // namespace racier::program
