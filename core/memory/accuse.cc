// core/memory/accuse.cc - reports unless the run is being unwound.  Tested by
// slab_test.cc.
#include "core/memory/accuse.h"

#include <exception>
#include <utility>

namespace racier {

void accuse(FindingKind kind, std::string title, std::string detail,
            std::source_location where) {
  if (std::uncaught_exceptions() > 0) return;
  report(kind, std::move(title), std::move(detail), where);
}

}  // namespace racier
