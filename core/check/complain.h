// core/check/complain.h - findings of watchers, which run inside of what they watch.
#pragma once
#include <source_location>
#include <string>
#include <utility>

#include "core/base/invariant.h"
#include "core/memory/accuse.h"
#include "core/sync/task.h"

namespace racier::check {

// Reports `inv` as broken, at the last step of the running task.  Returns only if the
// run is being unwound: then what the verbs still tell means nothing, and the caller
// ignores it.
inline void complain(Inv inv, std::string detail) {
  const inv::Row& row = inv::row(inv);
  const Task* const self = current();
  accuse(row.kind, row.sentence, std::move(detail),
         self == nullptr ? std::source_location::current() : self->at);
}

}  // namespace racier::check
