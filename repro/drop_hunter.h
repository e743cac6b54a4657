// repro/drop_hunter.h - is a lock, a count, a look needed?  Leave it out and see.
//
// Where hunter.h looks for what somebody has written down as a bug, this leaves out
// what nobody has said anything about: either a program fails without it, or it is not
// needed, or nobody looks where it is.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/program/program.h"
#include "repro/hunter.h"
#include "repro/pair_search.h"
#include "repro/pair_setups.h"
#include "repro/site_survey.h"

namespace racier::repro {

// Programs that come by sites: whole ones, and then sides of pairs (pair_setups.h),
// each by itself, of which a hunt makes pairs.
struct DropPrograms {
  struct Side {
    std::size_t setup = 0;
    std::size_t side = 0;
    MachineOptions machine;
  };
  std::vector<program::Program> programs;  // without schedules
  std::vector<std::string> names;          // of each
  std::vector<PairSetup> setups;
  std::vector<Side> sides;  // what the last of `programs` are

  void add(program::Program program, std::string name);
  // Adds each side of each set-up, on each machine.  Nothing is added behind them.
  void add_sides(std::vector<PairSetup> of, std::span<const PairMachine> machines);
  std::size_t whole() const { return programs.size() - sides.size(); }
};

// What came of it.
struct Dropped {
  std::uint64_t executions = 0;  // of all programs; the one that fails is the last
  std::uint64_t programs = 0;    // so many were tried
  double seconds = 0;
  SearchEnd end = SearchEnd::kStopped;
  std::size_t program = 0;    // which one failed, or is the one from which it was made
  bool changed = false;       // calls and machine were changed at random
  std::uint64_t mutants = 0;  // programs that were made so
  std::string kind;           // of its finding
  std::string title;
  std::optional<SmallestProgram> smallest;
  std::string death;  // how the process ended, if not in order
  // The finding that the same run has with the site in its place: a false alarm, or a
  // bug that has nothing to do with it.  Then it was not counted.
  std::string anyway;
  std::string anyway_program;  // as text

  // A process that ended without the site, where it did not with it, has missed it.
  bool caught() const { return end == SearchEnd::kFound || !death.empty(); }
};

// Leaves out `site`, and searches the schedules of the programs that come by, without
// theirs, until anything is found: all of them a little, then all of them more, then
// pairs, and what comes of any of them by random changes.  Where an order is left out,
// memory is weakly ordered.  Tells `tell` what there is after each search,
// as the next may end the process.
Dropped hunt_drop(const DropPrograms& programs, const KnownSite& site,
                  const HuntLimits& limits,
                  const std::function<void(const Dropped&)>& tell);

}  // namespace racier::repro
