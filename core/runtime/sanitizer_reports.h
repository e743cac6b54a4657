// core/runtime/sanitizer_reports.h - turns what a sanitizer reports into a finding.
//
// ThreadSanitizer always lets execution go on; AddressSanitizer does if the program is built
// with -fsanitize-recover=address.  Both are told so by default options, defined here once
// for every program.  A report outside of a run keeps its usual effect.
#pragma once
#include <string_view>

#include "core/base/run_state.h"

namespace racier::sanitizer_reports {

struct Raw;  // a report, as it was caught

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

// Returns the finding in the text of a report of AddressSanitizer.
Finding parse_asan_report(std::string_view text);

}  // namespace racier::sanitizer_reports
