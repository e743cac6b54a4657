// repro/site_survey.h - the sites that programs come by.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/schedule.h"
#include "core/base/site.h"
#include "core/program/program.h"

namespace racier::repro {

// A site, and who comes by.
struct KnownSite {
  SiteName name;
  std::string function;
  std::string what;             // a class of locks, an operation
  std::vector<std::size_t> by;  // the programs, those first whose tasks do
  std::size_t tasks = 0;        // so many of them: not in set-up or teardown alone
  bool operator==(const KnownSite&) const = default;
};

// Runs each program, which has no schedule, `executions` times; returns the sites of
// core/mm, core/rmap and core/objects that they come by, by name.
std::vector<KnownSite> survey_sites(std::span<const program::Program> programs,
                                    const Schedule& recipe, std::uint64_t executions);

// Returns those that `words` name: "all", a kind ("lock"), a file ("munmap.cc"), a line
// ("munmap.cc:197"), or one site ("lock munmap.cc:197"); those of kind order only by
// that kind.  Throws BadInput: a word names none.
std::vector<KnownSite> sites_named(std::span<const KnownSite> sites,
                                   std::span<const std::string> words);

}  // namespace racier::repro
