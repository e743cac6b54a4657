// core/base/finding.h - what a run has found.
#pragma once
#include <cstdint>
#include <source_location>
#include <string>

namespace racier {

// What kind of detector spoke.  One word each in reports and in expectations.
enum class FindingKind : std::uint8_t {
  kInvariant,     // the design's own BUG_ON, or a rule of the audit: `title` says which
  kUseAfterFree,  // a step touched a frame or an object that is free
  kRefcount,      // from zero, below zero, saturated
  kLockOrder,     // the order of two lock classes closes a cycle
  kLockUse,       // recursion, wrong release, a lock held at exit, bad magic
  kAtomicSleep,   // a sleep inside a spinlock or an RCU read section
  kDeadlock,      // nobody can run any more
  kNoProgress,    // the step limit: livelock or a lost wake-up
  kRmap,          // the reverse map is incomplete or unsound
  kCount,         // a counter differs from its recount
  kPermission,    // a pte allows what its vma forbids
  kTlb,           // a translation outlived its promise
  kData,          // lost or foreign bytes
  kLeak,          // alive after teardown
  kDataRace,      // reported by ThreadSanitizer
  kSanitizer,     // any other sanitizer report
  kReplay,        // two runs of one schedule differ: a defect of racier itself
};
inline constexpr int kFindingKinds = static_cast<int>(FindingKind::kReplay) + 1;

// Returns the kind in lower case with dashes: "use-after-free", "lock-order", ...
const char* finding_kind_name(FindingKind kind);

// A finding.  `title` is stable over versions: no address, number, line or task in it,
// the kernel's own wording where it has one.  `detail` may say anything, on many lines.
struct Finding {
  FindingKind kind = FindingKind::kInvariant;
  std::string title;
  std::string detail;
  std::source_location where;
  int task = -1;  // index of the task that was running, -1: none (audit, teardown)
  std::uint32_t step = 0;  // its steps so far

  // The identity of the bug: two findings with one signature are one bug.  The title,
  // without what depends on who came first: whether a freed word was read or written.
  std::string signature() const;
};

// Unwinds a task whose run is over.  Never caught but at a task's outermost frame,
// which adds task and step to the finding if this task reported it.
struct RunOver {
  bool reporter = false;
};

// Records `finding` in the current run, unless that has one already, and ends the run
// by throwing RunOver.  Outside of a run: prints it and aborts.
[[noreturn]] void report(FindingKind kind, std::string title, std::string detail = "",
                         std::source_location where = std::source_location::current());

}  // namespace racier
