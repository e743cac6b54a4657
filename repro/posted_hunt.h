// repro/posted_hunt.h - a patch as it was mailed: what is wrong with it, and when?
//
// All that a patch lacks is armed together, on machines of its time and of later times;
// the programs are those of the rows.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/bug.h"
#include "core/objects/machine.h"
#include "core/program/as_posted.h"
#include "repro/hunter.h"

namespace racier::repro {

// A time that a patch may have lived in.
struct PostedPeriod {
  std::string name;  // what differs from its own time, as a program says it; "its time"
  Period period;
  bool operator==(const PostedPeriod&) const = default;
};

// Returns the periods of a patch: its own; that before page_table_lock was split, if it
// is behind it; its own with one knob turned to a later time, for each knob which its
// design claims; and with all of them turned.
std::vector<PostedPeriod> periods_of(const program::AsPosted& patch);

// What came of one row of a patch in one period.
struct Posted {
  // Found: a finding that the row alone shows, too, or the others do not without it.
  SearchResult shown;
  // It was found with nothing else armed; with all, what the others do ended the runs.
  bool alone = false;
  // Found: one that needs nothing armed: a false alarm, or a bug that no row names.
  SearchResult unarmed;
  bool operator==(const Posted&) const = default;
};

enum class Armed : std::uint8_t {
  kAll,    // what the patch lacks; if others hide the row, then the row alone
  kAlone,  // the row: all together may end the process
};

// Hunts in `program`, which is that of `row`.
Posted hunt_posted(const program::Program& program, const program::AsPosted& patch,
                   const PostedPeriod& period, const bug::Row& row,
                   const HuntLimits& limits, Armed armed);

}  // namespace racier::repro
