// core/runtime/sanitizer_reports.cc - catches reports, and lets the run go on.
//
// A hook runs inside the sanitizer, under its locks: it copies what it is shown.  The
// next step of the run, in ordinary code, makes a finding of the copy. Tested by
// asan_test.cc and tsan_test.cc.
#include "core/runtime/sanitizer_reports.h"

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "core/runtime/asan_report.h"
#include "core/runtime/tsan_report.h"

namespace racier::sanitizer_reports {
namespace {

// The first report of one OS thread that has not become a finding yet, if `kept`.
struct Caught {
  bool by_tsan;
  TsanReport tsan;
  std::array<char, 16 * 1024> asan;  // text
};

thread_local bool watched = false;
thread_local bool kept = false;
thread_local Caught* caught = nullptr;  // made by the first watch, kept

// Called by AddressSanitizer after it has printed `text`.
void on_asan_report(const char* text) {
  if (!watched) {
    if (is_of_deadly_signal(text)) return;  // AddressSanitizer ends the process
    std::abort();  // the usual end, though options let execution go on
  }
  if (kept) return;
  std::size_t length = 0;
  while (text[length] != '\0' && length + 1 < caught->asan.size()) {
    caught->asan[length] = text[length];
    ++length;
  }
  caught->asan[length] = '\0';
  caught->by_tsan = false;
  kept = true;
}

// Returns whether the report is to be dropped now, neither printed nor counted.
bool on_tsan_report(void* report) {
  if (!watched) return false;
  if (!kept) {
    caught->tsan.copy(report);
    caught->by_tsan = true;
  }
  caught->tsan.note_word(report);
  kept = true;
  return true;
}

}  // namespace

Watch::Watch(RunState& run) : run_(run), pending_(&kept), outer_(watched) {
  thread_local const auto owned = std::make_unique<Caught>();
  caught = owned.get();
  watched = true;
  kept = false;
}

Watch::~Watch() { watched = outer_; }

bool Watch::collect() {
  if (!kept) return false;
  Finding finding =
      caught->by_tsan ? caught->tsan.finding() : parse_asan_report(caught->asan.data());
  if (caught->by_tsan) caught->tsan.watch_words_again();
  kept = false;
  return run_.record(std::move(finding));
}

}  // namespace racier::sanitizer_reports

// ---- The sanitizers' hooks
// -----------------------------------------------------------

extern "C" {
[[gnu::weak]] int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// A race is reported each time it happens, not once per process: a finding must replay
// (see also TsanReport::watch_words_again()).  history_size: how far back an access is
// remembered; beyond, its race is not seen.  report_signal_unsafe: abort() would bring
// a flood of reports, and one while another is being made hangs for ever. handle_*: in
// a libFuzzer program its signal handlers see to a crash, for they save the input; TSan
// would print its report and exit without asking them.
const char* __tsan_default_options() {
  if (&LLVMFuzzerTestOneInput != nullptr)
    return "suppress_equal_stacks=0:history_size=7:second_deadlock_stack=1:"
           "report_signal_unsafe=0:"
           "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0";
  return "suppress_equal_stacks=0:history_size=7:second_deadlock_stack=1:"
         "report_signal_unsafe=0";
}

const char* __asan_default_options() {
  return "halt_on_error=0:suppress_equal_pcs=0:detect_stack_use_after_return=1";
}

// libFuzzer's handlers keep the stack that those before them ran on.  On its own one
// the overflow of a fiber's stack can be handled.
[[gnu::constructor]] static void racier_handle_signals_on_their_own_stack() {
  if (&LLVMFuzzerTestOneInput == nullptr) return;
  for (const int signal : {SIGSEGV, SIGBUS}) {
    struct sigaction action = {};
    sigaction(signal, nullptr, &action);
    action.sa_flags |= SA_ONSTACK;
    sigaction(signal, &action, nullptr);
  }
}

[[gnu::weak]] void __asan_set_error_report_callback(void (*callback)(const char*));

[[gnu::constructor]] static void racier_set_asan_callback() {
  if (__asan_set_error_report_callback == nullptr) return;
  __asan_set_error_report_callback(&racier::sanitizer_reports::on_asan_report);
}
}  // extern "C"

namespace __tsan {
class ReportDesc;

// TSan's own hook, weak there: "return true to suppress the report".  The documented
// one, __tsan_on_report(), comes after it was printed and the process marked as failed.
bool OnReport(const ReportDesc* report, bool suppressed);
bool OnReport(const ReportDesc* report, bool suppressed) {
  return suppressed ||
         racier::sanitizer_reports::on_tsan_report(const_cast<ReportDesc*>(report));
}

}  // namespace __tsan
