// core/base/run_state.cc - the current run, and how a finding ends it.
#include "core/base/run_state.h"


namespace racier {
namespace {

// Fibers of one OS thread all work for one run, so the thread's pointer is theirs too.
constinit thread_local RunState* tls_run = nullptr;

}  // namespace

RunState* current_run() { return tls_run; }

bool run_is_over() { return tls_run != nullptr && tls_run->over(); }

RunState* set_current_run(RunState* run) {
  RunState* const before = tls_run;
  tls_run = run;
  return before;
}

bool RunState::record(Finding finding) {
  if (claimed_.exchange(true, std::memory_order_acq_rel)) return false;
  finding_ = std::move(finding);
  over_.store(true, std::memory_order_release);
  return true;
}

void RunState::reset() {
  for (auto& count : marks) count.store(0, std::memory_order_relaxed);
  claimed_.store(false, std::memory_order_relaxed);
  over_.store(false, std::memory_order_relaxed);
  finding_.reset();
}

}  // namespace racier
