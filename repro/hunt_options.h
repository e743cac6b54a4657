// repro/hunt_options.h - what `racier-repro hunt` is asked for.
#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bug.h"
#include "core/program/as_posted.h"
#include "repro/hunter.h"

namespace racier::repro {

// What is asked of a hunt for all pairs of ops.
struct PairsAsked {
  bool armed = false;     // the rows are, one at a time; else nothing is
  bool all_rows = false;  // they are all there are
  bool full = false;      // print what is known of each two ops
  int preemptions = 2;
  std::uint64_t runs = 0;                    // the most of one pair
  std::optional<std::chrono::seconds> time;  // of all; nothing: what it takes
  std::optional<std::string> svg;
  std::string folder;   // of the set-ups
  std::string setup;    // the only one; "": all
  std::string machine;  // likewise
};

struct HuntOptions {
  std::vector<const bug::Row*> rows;         // in the order of the list
  const program::AsPosted* patch = nullptr;  // its rows are those that it lacks
  std::optional<PairsAsked> pairs;           // instead of all that
  HuntEngine engine = HuntEngine::kSchedules;
  bool each_strategy = false;               // each alone, instead of that of `limits`
  std::vector<std::string> machines;        // of pair_machines(); none: their own
  std::optional<std::string> program_fuzz;  // which; nothing: that of this build
  std::vector<std::string> columns;  // files to make a table of, instead of all that
  HuntLimits limits;
  std::size_t jobs = 1;
  std::optional<std::string> json;
  std::string programs;  // the folder of the rows' programs
  // Sites to leave out (site_survey.h); none: it is rows that are hunted for.
  std::vector<std::string> drops;
  std::vector<std::string> drop_programs;  // folders of programs that come by
  std::string setups;                      // and one of set-ups, likewise
  std::string not_needed;                  // a file (not_needed.h)
  std::optional<std::string> save;         // a folder for what is found without them
  bool list = false;  // print the rows, or the sites, and nothing else
  bool help = false;  // it was asked for, and printed
};

// Reads the arguments behind `hunt`.  Throws BadInput.
HuntOptions read_hunt_options(const std::vector<std::string>& arguments);

}  // namespace racier::repro
