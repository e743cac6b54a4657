// core/program/generate.h - random programs.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/random.h"
#include "core/program/program.h"

namespace racier::program {

// How often an op is drawn, in the place of its own weight.
struct OpWeight {
  std::string_view op;
  int weight;
};

struct GenerateOptions {
  MachineOptions machine;
  int tasks = 2;
  std::size_t setup_calls = 4;  // behind a process and a mapping with two pages touched
  std::size_t task_calls = 4;
  // If there are any, only these ops are drawn in tasks.
  std::span<const OpWeight> weights = {};
};

// Returns a program of random calls: the same for the same seed.  The setup begins with
// a process and a mapping that it has touched, so that most calls have something to do.
// The schedule is a seeded one.
Program generate(std::uint64_t seed, const GenerateOptions& options = {});

// Returns a random call for a program with these variables; never an op of weight 0.
Call draw_call(Random& random, const Scope& scope,
               std::span<const OpWeight> weights = {});
// Draws the arguments of `call` anew.
void draw_arguments(Random& random, const Scope& scope, Call& call);
// Returns a random schedule of a seeded strategy, perhaps with overrides.
Schedule draw_schedule(Random& random);
Override draw_override(Random& random);

}  // namespace racier::program
