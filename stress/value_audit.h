// stress/value_audit.h - did loads return what stores have stored?
//
// What can be said of user memory on native threads, where nobody knows the order of
// accesses: every word that a load returned is zero, a file's, or was stored to that
// very address, or to one from where mremap may have moved it, by a call of the same
// process or of one that it descends from, and not later in the same task.  A store
// that is lost is not seen; bytes of another page or process are.
#pragma once
#include <optional>
#include <span>

#include "core/base/finding.h"
#include "core/program/outcome.h"
#include "core/program/program.h"

namespace racier::stress {

// Returns the first load that is wrong, as a finding.  `outcomes` are of all calls in
// program order; no word is both added to and loaded.
std::optional<Finding> audit_values(const program::Program& program,
                                    std::span<const program::Outcome> outcomes);

}  // namespace racier::stress
