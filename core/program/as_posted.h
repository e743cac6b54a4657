// core/program/as_posted.h - patches as they were mailed.
//
// What a patch lacked is a row in the list of bugs each; what its time took for granted
// is an option of the machine each.  Both together are the patch as it was posted.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "core/program/program.h"

namespace racier::program {

struct AsPosted {
  const char* name;
  const char* mail;  // who wrote it, what, when
  const char* rmap;
  std::span<const Bug> lacks;  // what it lacks, of the list of bugs
  bool split_ptl = false;      // on a kernel with a lock for each table of ptes
  VmaLookup lookup = VmaLookup::kTree;

  BugSet bugs() const;
  // Makes `machine` one of its time.
  void set_machine(MachineOptions& machine) const;
};

// Returns all of them.
std::span<const AsPosted> patches_as_posted();
// Returns the one of that name, or nullptr.
const AsPosted* find_as_posted(std::string_view name);
// Returns their names, with commas.
std::string names_as_posted();

}  // namespace racier::program
