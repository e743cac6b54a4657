// repro/pair_setups.h - small programs whose tasks are tried in pairs.
//
// A set-up is a program in corpus/pairs: its setup, and in task A calls each of which
// is one side of a pair; each further task is a side as a whole, for calls to meet.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "core/program/program.h"

namespace racier::repro {

struct PairSetup {
  std::string name;
  program::Program program;           // its tasks are those of the file
  std::vector<program::Calls> sides;  // variables as numbered there
  std::size_t calls = 0;              // the first ones, which are task A's

  // A pair is two sides, which may be the same one; the first is a call of task A.
  std::size_t pairs() const { return calls * (2 * sides.size() - calls + 1) / 2; }
  // Whether it starts threads, which share memory.
  bool has_threads() const;
};

// One pair of a set-up; `one` <= `other`.
struct Pair {
  std::size_t one = 0;
  std::size_t other = 0;
  bool operator==(const Pair&) const = default;
};
// Returns the `index`-th: (0, 0), (0, 1), ... (1, 1), ...
Pair nth_pair(const PairSetup& setup, std::size_t index);

// Returns the set-up with one side as task A and the other as task B, and no schedule.
program::Program pair_program(const PairSetup& setup, Pair pair);

// Returns the calls of a side as text, "write p0 m0 0 0; exit p0".
std::string side_text(const PairSetup& setup, std::size_t side);

// Makes a set-up of a program.  Throws BadInput: a side refers to what another defines,
// or there is none.
PairSetup pair_setup(const std::string& name, program::Program program);
// Returns those of a folder, *.racier, by name.  Throws BadInput.
std::vector<PairSetup> read_pair_setups(const std::string& folder);

}  // namespace racier::repro
