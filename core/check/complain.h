// core/check/complain.h - findings of watchers, which run inside of what they watch.
#pragma once
#include <string>
#include <utility>

#include "core/base/invariant.h"
#include "core/memory/accuse.h"

namespace racier::check {

// Reports `inv` as broken.  Returns only if the run is being unwound: then what the
// verbs still tell means nothing, and the caller ignores it.
inline void complain(Inv inv, std::string detail) {
  const inv::Row& row = inv::row(inv);
  accuse(row.kind, row.sentence, std::move(detail));
}

}  // namespace racier::check
