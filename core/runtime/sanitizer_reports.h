// core/runtime/sanitizer_reports.h - turns what a sanitizer reports into a finding.
//
// ThreadSanitizer always lets execution go on; AddressSanitizer does if the program is
// built with -fsanitize-recover=address.  Both are told so by default options, defined
// here once for every program.  A report outside of a run keeps its usual effect.
#pragma once
#include "core/base/run_state.h"

namespace racier::sanitizer_reports {

// While it lives, reports on this OS thread wait to become the finding of `run`.
class Watch {
 public:
  explicit Watch(RunState& run);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  bool pending() const { return *pending_; }
  // Records the pending report, if any; returns whether it became the run's finding.
  bool collect();

 private:
  RunState& run_;
  bool* pending_;
  bool outer_;
};

}  // namespace racier::sanitizer_reports
