// core/base/finding.cc - names kinds; reports outside of a run.
#include "core/base/finding.h"

#include <cstring>

#include "core/base/require.h"
#include "core/base/run_state.h"

namespace racier {

const char* finding_kind_name(FindingKind kind) {
  switch (kind) {
    case FindingKind::kInvariant: return "invariant";
    case FindingKind::kUseAfterFree: return "use-after-free";
    case FindingKind::kRefcount: return "refcount";
    case FindingKind::kLockOrder: return "lock-order";
    case FindingKind::kLockUse: return "lock-use";
    case FindingKind::kAtomicSleep: return "atomic-sleep";
    case FindingKind::kDeadlock: return "deadlock";
    case FindingKind::kNoProgress: return "no-progress";
    case FindingKind::kRmap: return "rmap";
    case FindingKind::kCount: return "count";
    case FindingKind::kPermission: return "permission";
    case FindingKind::kTlb: return "tlb";
    case FindingKind::kData: return "data";
    case FindingKind::kLeak: return "leak";
    case FindingKind::kDataRace: return "data-race";
    case FindingKind::kSanitizer: return "sanitizer";
    case FindingKind::kReplay: return "replay";
  }
  return "?";
}

std::string Finding::signature() const {
  std::string name = title;
  for (const char* const access : {" Read in ", " Write in "}) {
    const std::size_t at =
        kind == FindingKind::kUseAfterFree ? name.find(access) : std::string::npos;
    if (at != std::string::npos) name.replace(at, std::strlen(access), " in ");
  }
  return std::string(finding_kind_name(kind)) + " | " + name;
}

void report(FindingKind kind, std::string title, std::string detail,
            std::source_location where) {
  RunState* const run = current_run();
  if (run == nullptr) {
    const std::string text =
        std::string(finding_kind_name(kind)) + ": " + title + " " + detail;
    require_failed(text.c_str(), where);
  }
  Finding finding;
  finding.kind = kind;
  finding.title = std::move(title);
  finding.detail = std::move(detail);
  finding.where = where;
  throw RunOver{run->record(std::move(finding))};
}

}  // namespace racier
