// repro/pair_matrix.h - what came of all pairs: as a table, as JSON.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "repro/pair_search.h"
#include "repro/pair_setups.h"

namespace racier::repro {

// One pair on one machine.
struct PairCell {
  std::size_t setup = 0;
  std::size_t machine = 0;
  Pair pair;
  PairResult result;
};

struct PairMatrix {
  std::vector<PairSetup> setups;
  std::vector<PairMachine> machines;
  int preemptions = 2;
  std::vector<PairCell> cells;
  double seconds = 0;  // on the clock
};

// Returns the matrix with all cells that there are, none run.
PairMatrix all_pairs(std::vector<PairSetup> setups, std::vector<PairMachine> machines,
                     int preemptions);

// How many cells are in each state, and what it took.
struct PairSum {
  std::array<std::uint64_t, kPairStates> cells{};
  std::uint64_t schedules = 0;
  std::uint64_t runs = 0;
  double seconds = 0;  // of a processor

  std::uint64_t of(PairState state) const {
    return cells[static_cast<std::size_t>(state)];
  }
  std::uint64_t all() const;
  // Whether every schedule of every pair was run, and was clean.
  bool covered() const;
  void add(const PairResult& result);
};
PairSum sum_of(const PairMatrix& matrix);

// What is known of two ops: of all cells one of whose sides calls `one`, and the other
// `other`.
struct OpPair {
  PairSum sum;
  std::string why;  // of a finding, or of what is incomplete
};
// By `op * ops + op`, both ways round.
std::vector<OpPair> op_pairs(const PairMatrix& matrix);

// Returns a line for each machine and each set-up, each finding, all that is not
// complete, and the sum; `full`: and what is known of each two ops.
std::string matrix_text(const PairMatrix& matrix, bool full);
nlohmann::ordered_json matrix_json(const PairMatrix& matrix);

nlohmann::ordered_json json_of(const PairResult& result);
// The inverse.
PairResult pair_result_of(const nlohmann::ordered_json& json);

// Returns what a cell is of, "forked_page on pte_chain: write p0 m0 0 0 | exit p1".
std::string cell_title(const PairMatrix& matrix, const PairCell& cell);

}  // namespace racier::repro
